"""The same events come to the same outcome, in any order within the lateness, however batched."""

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy
from servicelevel.application.lines import Lines, RecordedLine
from servicelevel.application.replay import (
    Recording,
    Replayed,
    ReplayOptions,
    replay,
)
from servicelevel.domain.counts import Tally
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Evidence
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import RateSlices, Slices
from servicelevel.domain.time import HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LATENESS = 20_000
RULES = (
    pair("10m/1m", 10 * MINUTE_MS, MINUTE_MS, Fraction(5), Severity.PAGE),
    pair("1h/10m", HOUR_MS, 10 * MINUTE_MS, Fraction(2), Severity.TICKET),
)


def objective(name: str, indicator: Indicator, slices: Slices | None = None) -> Objective:
    return Objective(name, indicator, Fraction(9, 10), RULES, slices)


CATALOGUE = Catalogue.of(
    [
        Slo(
            "ok",
            "shop",
            2 * HOUR_MS,
            (
                objective(
                    "availability", Indicator("a", "request", "shop", "", "status_code < 500")
                ),
                objective("latency", Indicator("b", "request", "shop", "", "duration_ms <= 300.0")),
                objective(
                    "traffic",
                    Indicator("c", "request", "shop", "", "", slice_ms=MINUTE_MS),
                    RateSlices(MINUTE_MS, "gte", Fraction(2)),
                ),
            ),
            "d",
        )
    ]
)


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, object]]:
    """A shop that fails and slows down now and then, in order of time."""
    seed = draw(st.integers(0, 2**32))
    rng = random.Random(seed)
    at, made = T0, []
    for number in range(draw(st.integers(1, 150))):
        at += rng.choice([0, 1, 900, 10_000, 10_000, 61_000])
        if rng.random() < 0.01:
            at += rng.choice([10 * MINUTE_MS, 3 * HOUR_MS])
        status = 503 if rng.random() < (0.7 if number // 40 % 2 else 0.05) else 200
        made.append(
            {
                "id": f"e{number}",
                "time": at,
                "service": "shop",
                "status_code": status,
                "duration_ms": rng.choice([10, 300, 301, 2_000]),
            }
        )
    return made


def run(files: list[list[dict[str, object]]], chunk: int) -> Replayed:
    recordings = [
        Recording(
            "requests",
            "request",
            [RecordedLine(n, orjson.dumps(event)) for n, event in enumerate(file)],
        )
        for file in files
    ]
    policy = EvaluationPolicy(LADDER, allowed_lateness_ms=LATENESS, early=False)
    return replay(CATALOGUE, recordings, ReplayOptions(T0 + 10**10, policy, chunk=chunk))


def decided(told: Replayed) -> list[object]:
    """All but the source offsets, which differ as the files do."""
    found = []
    for transition in told.transitions:
        values = {name: getattr(transition, name) for name in transition.__slots__}
        evidence = values.pop("evidence")
        found.append(
            (values, Evidence(evidence.from_ms, evidence.windows, {}, evidence.dimensions))
        )
    return found


@settings(max_examples=60, deadline=None)
@given(events(), st.integers(0, 2**32), st.integers(1, 40))
def test_any_order_within_the_lateness_in_any_batches_decides_the_same(
    made: list[dict[str, object]], seed: int, chunk: int
) -> None:
    rng = random.Random(seed)
    displaced = sorted(made, key=lambda event: int(str(event["time"])) + rng.randint(0, LATENESS))

    plain, shuffled = run([made], 20_000), run([displaced], chunk)

    assert not shuffled.late
    assert decided(shuffled) == decided(plain)


@settings(max_examples=60, deadline=None)
@given(events(), st.integers(0, 2**32), st.integers(1, 4))
def test_events_spread_over_files_decide_the_same(
    made: list[dict[str, object]], seed: int, count: int
) -> None:
    rng = random.Random(seed)
    files: list[list[dict[str, object]]] = [[] for _ in range(count)]
    for event in made:
        rng.choice(files).append(event)

    # One chunk a file: the files end together, so none is behind the others' watermark.
    assert decided(run(files, 20_000)) == decided(run([made], 20_000))


@settings(max_examples=60, deadline=None)
@given(events(), st.data())
def test_nothing_disappears(made: list[dict[str, object]], data: st.DataObject) -> None:
    lines = [orjson.dumps(event) for event in made]
    for _ in range(data.draw(st.integers(0, 20))):
        lines.insert(
            data.draw(st.integers(0, len(lines))),
            data.draw(st.sampled_from([b"{", b"[]", b"\xff", b'{"service":"x"}', lines[0]])),
        )
    recording = Recording("requests", "request", [RecordedLine(n, v) for n, v in enumerate(lines)])

    told = replay(
        CATALOGUE, [recording], ReplayOptions(T0 + 10**10, EvaluationPolicy(LADDER), chunk=7)
    )

    assert told.tally.read == len(lines)
    assert told.tally == Tally(
        len(lines), len(lines) - len(told.late) - len(told.dead), len(told.late), len(told.dead)
    )


class Pieces(list[RecordedLine]):
    """Recorded lines that can be had in pieces."""

    sizes: Sequence[int] = ()

    def pieces(self) -> Iterator[Lines]:
        start = 0
        for size in (*self.sizes, len(self)):
            if part := self[start : start + size]:
                values = [line.value or b"" for line in part]
                yield Lines(values, [line.offset for line in part])
            start += size


@settings(max_examples=60, deadline=None)
@given(events(), st.data())
def test_pieces_decide_as_lines_do(made: list[dict[str, object]], data: st.DataObject) -> None:
    """Whatever is in the lines: late, in the future, an envelope, or nothing that can be read."""
    first = made[0]
    odd = [
        *[b"{", b"[]", b"\xff", b'{"service":"x"}', orjson.dumps(first)],
        orjson.dumps(first | {"time": "2025-01-01T00:00:00Z"}),
        orjson.dumps(first | {"time": T0 + 10**12}),
        orjson.dumps({"specversion": "1.0", "time": "2026-01-01T00:00:00Z", "data": first}),
        orjson.dumps(first | {"operation": "é" * 3}),
    ]
    lines = Pieces()
    for event in made:
        for value in (*data.draw(st.lists(st.sampled_from(odd), max_size=1)), orjson.dumps(event)):
            lines.append(RecordedLine(len(lines) + len(lines) // 7, value))
    lines.sizes = data.draw(st.lists(st.integers(1, 60), max_size=20))
    told = [
        replay(
            CATALOGUE,
            [Recording("requests", "request", recorded)],
            ReplayOptions(T0 + 10**10, EvaluationPolicy(LADDER, early=False), statuses=True),
        )
        for recorded in (lines, tuple(lines))
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(("at_s", "good", "total"), [(0, 1, 1), (5, 3, 6), (30, 5, 11)])
def test_a_status_counts_what_was_up_to_its_time(at_s: int, good: int, total: int) -> None:
    made = [
        {
            "time": T0 + n * 1_000,
            "service": "shop",
            "status_code": 503 if n % 2 else 200,
            "duration_ms": 1,
        }
        for n in range(11)
    ]
    recording = Recording(
        "requests", "request", [RecordedLine(n, orjson.dumps(e)) for n, e in enumerate(made)]
    )

    told = replay(
        CATALOGUE,
        [recording],
        ReplayOptions(T0 + 10**10, EvaluationPolicy(LADDER), status_at_ms=T0 + at_s * 1_000),
    )

    status = next(s for s in told.statuses if s.objective == "availability")
    assert (status.good, status.total) == ((total + 1) // 2, total)
    assert good <= total
