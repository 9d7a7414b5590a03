"""A flood of hostile records through decoding and counting.

All are accounted for, in bounded work, and as an independent reader has it.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.adapters.files.mapping import load_mapping
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.lines import RecordedLine
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.refusal import Reason
from servicelevel.domain.counts import CountsMessage, Range, Tally
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import DeadLetter
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.counts import decode_counts, encode_counts
from tests.hostile.corpus import MAPPINGS, OTLP, TOPICS
from tests.hostile.reference import Read
from tests.hostile.stream import ALLOWED_LATENESS_MS, DEFINITIONS, Sent, expected, flood

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MUTATED = 30_000
CHUNK = 700
LARGE_BYTES = 10_000
CALLS_PER_BYTE = 20
SMALL_WORK = 5_000  # calls that any record may take


@dataclass
class Counted:
    """What became of the records of a topic; `good` and `total` are by indicator."""

    topic: str
    records: Sequence[Sent]
    catalogue: Catalogue
    tally: Tally = field(default_factory=Tally)
    revisions: int = 0
    events: dict[int, Read] = field(default_factory=dict)
    dead: dict[int, DeadLetter] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)
    good: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)

    def count(self) -> None:
        mapping = mapping_of(self.topic)
        counter = SourceAccumulator(
            f"{self.topic}/0",
            "request",
            Plan(self.catalogue, 4),
            allowed_lateness_ms=ALLOWED_LATENESS_MS,
            late_horizon_ms=30 * 86_400_000,
            max_time_ms=None,
        )
        made = [line(offset, sent) for offset, sent in enumerate(self.records)]
        for start in range(0, len(made), CHUNK):
            batch, letters = decode(made[start : start + CHUNK], self.topic, mapping)
            late = counter.add(batch, len(letters))
            for event, offset in zip(batch.events, batch.offsets, strict=True):
                self.events[offset] = Read(event.service, event.time, event.status_code)
            self.dead |= {letter.offset: letter for letter in letters}
            self.revisions += sum(each.disposition == "revision" for each in late)
            self.told += [*map(dead_letter_event, letters), *map(late_event, late)]
            self._take(counter)

    def _take(self, counter: SourceAccumulator) -> None:
        folded = counter.take()
        self.tally = self.tally.plus(folded.tally)
        for cells in folded.cells.values():
            range_ = Range("s/0", 1, 0, 9, folded.max_time_ms, False, folded.tally, tuple(cells))
            message = CountsMessage(NOW, (), (range_,))
            assert decode_counts(encode_counts(message)) == message
            for cell in cells:
                self.good[cell.indicator] += cell.good
                self.total[cell.indicator] += cell.total

    def sums(self, slo: str) -> tuple[int, int]:
        """Good and total of an SLO."""
        indicator = self.catalogue.slos[slo].objectives[0].indicator.id
        return self.good[indicator], self.total[indicator]


@pytest.fixture(scope="module", params=TOPICS)
def counted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Counted:
    file = tmp_path_factory.mktemp("flood") / "slos.yaml"
    file.write_text(DEFINITIONS)
    topic = request.param
    records = [sent for sent in flood(1, MUTATED, NOW, 1) if sent.message.topic == topic]
    loaded = load_definitions([file])
    assert len(loaded.catalogue.slos) == 3, loaded
    found = Counted(topic, records, loaded.catalogue)
    found.count()
    return found


def line(offset: int, sent: Sent) -> RecordedLine:
    headers = [(name, content) for name, content in sent.message.headers]
    return RecordedLine(offset, sent.message.value, NOW, b"k", headers)


def decode(
    part: Sequence[RecordedLine], topic: str, mapping: SourceMapping | None
) -> tuple[Batch, list[DeadLetter]]:
    return decode_batch(
        part,
        topic=topic,
        partition=0,
        kind="request",
        now_ms=NOW,
        limits=DecodeLimits(),
        mapping=mapping,
    )


def mapping_of(topic: str) -> SourceMapping | None:
    return load_mapping(Path(MAPPINGS[topic])) if topic in MAPPINGS else None


def test_each_record_is_counted_or_late_or_dead(counted: Counted) -> None:
    read, on_time, late, dead, repeated = counted.tally
    assert (on_time + late + dead, repeated) == (read, 0)
    assert min(on_time, late, dead) > 50  # it was a test of something
    assert dead == len(counted.dead)
    if counted.topic != OTLP:  # a record of which is any number of events
        assert read == len(counted.records) == len(counted.events) + dead
    assert counted.sums("every")[1] == on_time + counted.revisions


def test_each_that_is_not_counted_is_told_once_with_its_origin(counted: Counted) -> None:
    told = {each["id"]: each["data"] for each in map(json.loads, counted.told)}
    assert len(told) == len(counted.told) == counted.tally.late + counted.tally.dead
    for offset, letter in counted.dead.items():
        data = told[f"dead-letter/{counted.topic}/0/{offset}"]
        assert (data["topic"], data["partition"], data["offset"]) == (counted.topic, 0, offset)
        assert data["reason"] in set(Reason)
        assert letter.value == counted.records[offset].message.value


def test_the_steady_events_among_them_are_all_counted(counted: Counted) -> None:
    statuses = [sent.steady for sent in counted.records if sent.steady is not None]
    assert counted.sums("steady") == (statuses.count(200), len(statuses))


def test_each_record_is_what_the_reference_reads(counted: Counted) -> None:
    for offset, sent in enumerate(counted.records):
        known = expected(sent, NOW)
        if known is not None:
            assert (offset in counted.dead) is (known is False), sent
        if isinstance(known, Read):
            assert counted.events[offset] == known, sent


def test_the_work_for_a_large_record_grows_with_its_bytes(counted: Counted) -> None:
    mapping = mapping_of(counted.topic)
    large = [s for s in counted.records if len(s.message.value or b"") > LARGE_BYTES]
    assert len(large) > 5
    for record in map(line, range(len(large)), large):
        work = calls(lambda record=record: decode([record], counted.topic, mapping))  # type: ignore[misc]
        assert work < SMALL_WORK + CALLS_PER_BYTE * len(record.value or b"")


def calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile, those in C too."""
    found = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found
