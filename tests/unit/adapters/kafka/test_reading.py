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
from servicelevel.application.vitals import CombinerVitals
from tests.unit.application.test_source_counter import Log, counter

PARTITION = TopicPartition("requests", 0)


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
    """Gives records once."""

    def __init__(self, records: Sequence[RecordedLine]) -> None:
        self._left = [records]

    async def getmany(self, **_: Any) -> Mapping[TopicPartition, Sequence[RecordedLine]]:
        if not self._left:
            raise EndError
        return {PARTITION: self._left.pop()}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset()


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
