"""How much is counted before other tasks get their turn, and held before it is sent."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from servicelevel.adapters.kafka.flushing import Held
from servicelevel.adapters.kafka.reading import (
    MAX_WAITING_BYTES,
    SLICE,
    SLICE_BYTES,
    SourceReader,
    slice_of,
)
from servicelevel.application.lines import RecordedLine
from servicelevel.application.vitals import CombinerVitals, SourceVitals
from servicelevel.domain.ledger import SourceState
from servicelevel.errors import StreamError
from tests.unit.application.test_source_counter import Log, counter

PARTITION = TopicPartition("requests", 0)
OTHER = TopicPartition("requests", 1)


@pytest.mark.parametrize(
    ("size", "expected"), [(None, SLICE), (0, SLICE), (200, SLICE), (1 << 18, 4), (3 << 20, 1)]
)
def test_fewer_records_at_once_where_they_are_large(size: int | None, expected: int) -> None:
    value = None if size is None else b"x" * size
    records = [RecordedLine(n, value) for n in range(SLICE + 9)]
    assert list(slice_of(records, 0)) == records[:expected]
    assert list(slice_of(records, len(records) - 1)) == records[-1:]


def test_a_small_record_before_large_ones_does_not_hide_them() -> None:
    records = [RecordedLine(0, b"x"), *(RecordedLine(n, b"x" * SLICE_BYTES) for n in range(1, 9))]
    assert [len(slice_of(records, n)) for n in (0, 1, 2)] == [1, 1, 1]


class EndError(Exception):
    """There is nothing more to read."""


class Consumer:
    """Gives records once, the same for each partition, then none, then it raises EndError.

    `ends` are ends and positions of partitions.
    """

    def __init__(
        self,
        records: Sequence[RecordedLine],
        partitions: Sequence[TopicPartition] = (PARTITION,),
        ends: Mapping[TopicPartition, tuple[int, int]] | None = None,
    ) -> None:
        self._left = [{}, dict.fromkeys(partitions, records)]
        self._ends = dict(ends or {})

    async def getmany(self, **_: Any) -> Mapping[TopicPartition, Sequence[RecordedLine]]:
        if not self._left:
            raise EndError
        return self._left.pop()

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._ends)

    def highwater(self, partition: TopicPartition) -> int:
        return self._ends[partition][0]

    async def position(self, partition: TopicPartition) -> int:
        return self._ends[partition][1]

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self._ends[partition][0] for partition in partitions}

    def last_poll_timestamp(self, _: TopicPartition) -> int:
        return 1


class Flusher:
    """Takes what waits to be sent, and notes how many bytes that is."""

    def __init__(self) -> None:
        self.held = {PARTITION: Held(PARTITION, counter(Log().states(1), 1))}
        self.flushed: list[int] = []

    async def flush(self) -> None:
        held = self.held[PARTITION].counter
        self.flushed.append(held.waiting_bytes)
        held.asides()


async def test_large_dead_letters_are_sent_before_they_fill_the_memory() -> None:
    size = 2 << 20
    records = [RecordedLine(n, b"x" * size) for n in range(40)]
    flusher = Flusher()
    reader: Any = SourceReader
    with pytest.raises(EndError):
        await reader(Consumer(records), flusher, lambda: 0, CombinerVitals(), skip_gaps=False).run()
    assert flusher.flushed == [MAX_WAITING_BYTES] * 2


class LosingFlusher(Flusher):
    """As the first partition's counts are written, the other one is lost and claimed again."""

    def __init__(self) -> None:
        super().__init__()
        self.held[OTHER] = Held(OTHER, counter(Log().states(1), 1))

    async def flush(self) -> None:
        await super().flush()
        self.held[OTHER] = Held(OTHER, counter(Log().states(2), 2))


async def test_what_was_read_for_an_earlier_claim_is_not_counted_for_a_later_one() -> None:
    """It may begin after what the later claim has to count first."""
    records = [RecordedLine(7 + n, b"x" * (2 << 20)) for n in range(17)]
    flusher: Any = LosingFlusher()
    consumer: Any = Consumer(records, (PARTITION, OTHER))
    with pytest.raises(EndError):
        await SourceReader(consumer, flusher, lambda: 0, CombinerVitals(), skip_gaps=False).run()
    assert (flusher.held[PARTITION].counter.position, len(flusher.flushed)) == (24, 1)
    assert flusher.held[OTHER].counter.position == 0


@pytest.mark.parametrize(
    ("read", "end", "lag", "is_end_seen"),
    [(60, 100, 0, False), (60, 130, 30, False), (100, 100, 0, True), (100, 130, 30, False)],
)
async def test_records_read_for_their_ids_are_no_lag_and_yet_to_be_read(
    read: int, end: int, lag: int, is_end_seen: bool
) -> None:
    """Counted up to 100, with the ids of 50 before; the watchdog sees that it goes on."""
    states = {n: SourceState(1, "me", 100) for n in range(3)}
    flusher: Any = Flusher()
    vitals = CombinerVitals()
    held = flusher.held[PARTITION] = Held(PARTITION, counter(states, 1, dedup_records=50))
    records = [RecordedLine(n, b"{}") for n in range(50, read)]
    consumer: Any = Consumer(records, ends={PARTITION: (end, read)})
    with pytest.raises(EndError):
        await SourceReader(consumer, flusher, lambda: 0, vitals, skip_gaps=False).run()
    assert vitals.sources == {"requests/0": SourceVitals(read, lag)}
    assert (held.end_seen_ms is not None) is is_end_seen


async def test_a_log_that_ends_among_the_ids_is_not_that_which_was_counted() -> None:
    """Its topic was deleted and made anew: what comes next are no records after those counted."""
    states = {n: SourceState(1, "me", 100) for n in range(3)}
    flusher: Any = Flusher()
    flusher.held[PARTITION] = Held(PARTITION, counter(states, 1, dedup_records=50))
    records = [RecordedLine(n, b"{}") for n in range(50, 60)]
    consumer: Any = Consumer(records, ends={PARTITION: (60, 60)})
    reader = SourceReader(consumer, flusher, lambda: 0, CombinerVitals(), skip_gaps=False)
    with pytest.raises(StreamError, match=r"up to offset 100, .* ends at 60.*made anew"):
        await reader.run()
