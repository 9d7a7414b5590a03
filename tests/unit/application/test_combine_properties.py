"""Counting by signature equals judging every event by every predicate, however it is batched."""

import math
from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.cel import compile_predicate
from servicelevel.application.cells import merge_cells
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch
from servicelevel.application.groups import group_reader
from servicelevel.domain.counts import BadEvidence, Cell, Tally
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.partitioning import counts_partition
from servicelevel.domain.sketch import bucket
from servicelevel.domain.time import pane_end
from servicelevel.schemas.events import Event

PARTITIONS = 4
LATENESS, HORIZON = 5_000, 20_000

STATUSES = st.sampled_from([None, 200, 404, 499, 500, 501, 503])
EDGES = [0.0, -0.0, 99.5, 100.0, 300.0, 1e6]
DURATIONS = st.sampled_from(
    [None, 0.3, *EDGES, *(math.nextafter(e, math.inf) for e in EDGES), math.nextafter(100.0, 0.0)]
)
VALUES = st.sampled_from(["eu", "us", "1", 1, 1.0, True, False, 0, 0.0, -0.0, None, "a,b=c%"])
EVENTS = st.builds(
    Event,
    service=st.sampled_from(["a", "b", "c"]),
    time=st.integers(0, 40_000),
    operation=st.sampled_from([None, "get", "put", "post"]),
    status_code=STATUSES,
    duration_ms=DURATIONS,
    attributes=st.none() | st.dictionaries(st.sampled_from(["x", "y"]), VALUES),
)

COMPARED = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
ATOMS = st.one_of(
    st.builds("status_code {} {}".format, COMPARED, st.sampled_from(["500", "499.5", "404u"])),
    st.builds("duration_ms {} {}".format, COMPARED, st.sampled_from(["100", "99.5", "0", "-0.0"])),
    st.builds("{} {} duration_ms".format, st.sampled_from(["300", "100"]), COMPARED),
    st.builds("attributes.x {} {}".format, COMPARED, st.sampled_from(["1", "1.0", "'eu'", "true"])),
    st.sampled_from(
        [
            "operation == 'get'",
            "operation in ['put', 'post']",
            "operation.startsWith('p')",
            "operation < 'h'",
            "status_code in [200, 404.0, 503u]",
            "status_code % 2 == 0",
            "1.0 / duration_ms > 0.0",
            "service == 'a'",
            "has(duration_ms)",
            "has(operation)",
            "has(attributes.y)",
            "attributes.y",
            "attributes.y == null",
            "attributes.x == attributes.y",
            "attributes.x / 2 == 0",
            "time % 2 == 0",
        ]
    ),
)
PREDICATES = st.just("") | st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} && {})".format, inner, inner),
        st.builds("({} || {})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@st.composite
def indicators(draw: st.DrawFn) -> list[Indicator]:
    return [
        Indicator(
            f"i{n}",
            "request",
            draw(st.sampled_from(["a", "b", "*"])),
            draw(PREDICATES),
            draw(PREDICATES),
            draw(st.sampled_from([(), ("x",), ("operation", "attributes.y"), ("service",)])),
            draw(st.sampled_from([10_000, 4_000, 7_000])),
            sketch=draw(st.sampled_from(["", "", "duration_ms", "attributes.y"])),
        )
        for n in range(draw(st.integers(1, 5)))
    ]


def oracle(
    of: list[Indicator], events: list[Event], since: Mapping[str, int] | None = None
) -> tuple[dict[int, list[Cell]], Tally]:
    """One event and one predicate at a time; `since`: the offset an indicator counts from."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    newest, late = -(10**9), 0
    for offset, event in enumerate(events):
        behind = newest - event.time
        late += behind > LATENESS
        watermark = newest - LATENESS - 1
        newest = max(newest, event.time)
        if behind > LATENESS + HORIZON:
            continue
        for indicator in of:
            if indicator.service not in (event.service, "*"):
                continue
            if since is not None and offset < since[indicator.id]:
                continue
            if compile_predicate(indicator.total, event="request")(event) is not True:
                continue
            good = compile_predicate(indicator.good, event="request")(event)
            if good is None:
                continue
            named = {"operation": event.operation, "status_code": event.status_code}
            if indicator.service == "*":
                named["service"] = event.service
            dimensions = {f"{k}={v}": 1 for k, v in named.items() if v is not None}
            end = pane_end(event.time, indicator.pane_ms)
            cells[counts_partition(f"home-{indicator.id}", PARTITIONS)].append(
                Cell(
                    indicator.id,
                    group_reader(indicator.group_by, "request")(event),
                    end,
                    int(good),
                    1,
                    None if good else BadEvidence({"r/0": (offset, offset)}, dimensions),
                    pane_end(watermark + 1, indicator.pane_ms) if end <= watermark else 0,
                    {bucket(value_in(event, indicator.sketch)): 1} if indicator.sketch else None,
                )
            )
    merged = {partition: merge_cells(found) for partition, found in cells.items()}
    return merged, Tally(len(events), len(events) - late, late, 0)


def value_in(event: Event, field: str) -> float:
    """The value of a numeric field; NaN where there is none."""
    if field == "duration_ms":
        value: Any = event.duration_ms
    else:
        value = (event.attributes or {}).get("y")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")


@settings(max_examples=300)
@given(
    indicators(),
    st.lists(st.lists(EVENTS, max_size=12), max_size=6),
    st.sets(st.integers(0, 5)),
    st.integers(1, 30),
    st.sampled_from([0, 1, 5, 100]),
    st.sampled_from([3, 10, 10_000]),
)
def test_any_batching_equals_one_by_one(
    of: list[Indicator],
    parts: list[list[Event]],
    flushes: set[int],
    max_pending: int,
    max_sums: int,
    max_remembered: int,
) -> None:
    slos = [Slo(i.id, f"home-{i.id}", 1, (Objective("o", i, Fraction(1, 2), ()),), "d") for i in of]
    plan = Plan(Catalogue.of(slos), PARTITIONS, max_remembered=max_remembered)
    counting = SourceAccumulator(
        "r/0",
        "request",
        plan,
        allowed_lateness_ms=LATENESS,
        late_horizon_ms=HORIZON,
        max_time_ms=None,
        max_pending=max_pending,
        max_sums=max_sums,
    )
    taken, start, late = [], 0, 0
    for n, events in enumerate(parts):
        offsets = list(range(start, start + len(events)))
        late += len(counting.add(Batch(events, offsets, [b""] * len(events)), dead=0))
        start += len(events)
        if n in flushes:
            taken.append(counting.take())
    taken.append(counting.take())

    cells: dict[int, list[Cell]] = defaultdict(list)
    tally = Tally()
    for folded in taken:
        tally = tally.plus(folded.tally)
        for partition, found in folded.cells.items():
            assert found == merge_cells(found)
            cells[partition] += found
    expected, expected_tally = oracle(of, [event for events in parts for event in events])
    assert {partition: merge_cells(found) for partition, found in cells.items()} == expected
    assert tally == expected_tally
    assert late == tally.late
    assert counting.size == 0


@settings(max_examples=200)
@given(
    indicators(),
    st.integers(0, 5),
    st.lists(st.lists(EVENTS, max_size=12), max_size=6),
    st.integers(0, 5),
    st.sets(st.integers(0, 5)),
    st.integers(1, 30),
)
def test_indicators_that_are_added_on_the_way_count_from_there_and_change_no_other(
    of: list[Indicator],
    known: int,
    parts: list[list[Event]],
    change_at: int,
    flushes: set[int],
    max_pending: int,
) -> None:
    def plan(some: list[Indicator]) -> Plan:
        return Plan(
            Catalogue.of(
                Slo(i.id, f"home-{i.id}", 1, (Objective("o", i, Fraction(1, 2), ()),), "d")
                for i in some
            ),
            PARTITIONS,
        )

    current = plan(of[:known])
    counting = SourceAccumulator(
        "r/0",
        "request",
        current,
        allowed_lateness_ms=LATENESS,
        late_horizon_ms=HORIZON,
        max_time_ms=None,
        max_pending=max_pending,
    )
    taken, start, changed_at = [], 0, sum(map(len, parts))
    for n, events in enumerate(parts):
        if n == change_at:
            current.change_to(plan(of))
            changed_at = start
        offsets = list(range(start, start + len(events)))
        counting.add(Batch(events, offsets, [b""] * len(events)), dead=0)
        start += len(events)
        if n in flushes:
            taken.append(counting.take())
    taken.append(counting.take())

    cells: dict[int, list[Cell]] = defaultdict(list)
    for folded in taken:
        for partition, found in folded.cells.items():
            cells[partition] += found
    since = {i.id: 0 if n < known else changed_at for n, i in enumerate(of)}
    expected, _ = oracle(of, [event for events in parts for event in events], since)
    assert {partition: merge_cells(found) for partition, found in cells.items()} == expected
