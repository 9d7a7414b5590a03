"""How much is read and held while the brokers take no counts, or are given large batches."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import TopicPartition

from servicelevel.adapters.kafka.flushing import Held
from servicelevel.adapters.kafka.reading import (
    MAX_READ,
    MAX_READ_BYTES,
    MAX_UNTOLD,
    MAX_WAITING_BYTES,
    SLICE,
    SourceReader,
    at_once,
)
from servicelevel.application.lines import RecordedLine
from servicelevel.application.source_counter import MAX_RECORDS
from servicelevel.application.vitals import CombinerVitals
from tests.unit.application.test_source_counter import START_MS, Log, counter

SOURCES = tuple(TopicPartition("requests", n) for n in range(4))
Value = Callable[[int], bytes]
TURNS = 50


class Endless:
    """Always has more, of each source in turn."""

    def __init__(self, value: Value, at_once: int) -> None:
        self._value = value
        self._at_once = at_once
        self.asked = 0

    async def getmany(self, **_: Any) -> Mapping[TopicPartition, Sequence[RecordedLine]]:
        turn, source = divmod(self.asked, len(SOURCES))
        self.asked += 1
        first = turn * self._at_once
        offsets = range(first, first + self._at_once)
        return {SOURCES[source]: [RecordedLine(n, self._value(n)) for n in offsets]}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset()


class StuckFlusher:
    """Its brokers take nothing."""

    def __init__(self) -> None:
        self.held = {
            s: Held(s, counter(Log().states(1), 1, max_records=MAX_RECORDS)) for s in SOURCES
        }
        self.asked = asyncio.Event()

    async def flush(self) -> None:
        self.asked.set()
        await asyncio.Event().wait()

    def held_now(self, what: str) -> int:
        return sum(getattr(held.counter, what) for held in self.held.values())


async def read_until_stuck(value: Value, at_once: int = SLICE, **bounds: int) -> StuckFlusher:
    """Read for as long as the reader does, and see that it reads no further."""
    consumer, flusher = Endless(value, at_once), StuckFlusher()
    reader: Any = SourceReader
    vitals = CombinerVitals()
    reading = asyncio.create_task(
        reader(consumer, flusher, lambda: START_MS, vitals, skip_gaps=False, **bounds).run()
    )
    try:
        await flusher.asked.wait()
        asked = consumer.asked
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert consumer.asked == asked
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    return flusher


def same_pane(_: int) -> bytes:
    return b'{"service":"a","time":%d,"status_code":200}' % START_MS


def own_pane(offset: int) -> bytes:
    time_ms = START_MS - 10_000_000_000 + offset * 10_000
    return b'{"service":"a","time":%d,"status_code":200}' % time_ms


async def test_sources_are_not_read_on_while_the_brokers_take_no_counts() -> None:
    stuck = await read_until_stuck(same_pane)
    assert MAX_UNTOLD <= stuck.held_now("untold") < MAX_UNTOLD + SLICE


async def test_many_sums_are_held_for_fewer_records() -> None:
    stuck = await read_until_stuck(own_pane, max_size=20_000)
    assert 20_000 <= stuck.held_now("size") <= 20_000 + SLICE
    assert stuck.held_now("untold") < MAX_UNTOLD


async def test_dead_letters_of_all_sources_are_held_in_the_same_room() -> None:
    size = 1 << 20
    stuck = await read_until_stuck(lambda _: b"x" * size, at_once=4)
    assert stuck.held_now("waiting_bytes") == MAX_WAITING_BYTES


@pytest.mark.parametrize(
    ("batches", "records", "size", "before", "expected"),
    [
        (1, 1, 100, 1, 2),  # small ones: twice as many each time
        (1_000, 1_000, 1_000 << 10, 1_000, MAX_READ),  # of one record each
        (16, 1_280, 16 << 14, 16, 12),  # as many as have about enough records
        (4, 20_000, 4 << 20, 4, 1),
        (64, 64, 64 << 20, 64, 16),  # large ones: as many as there is room for
        (1, 1, MAX_READ_BYTES * 3, 1, 1),  # one, however large
        (10, 10, 0, 10, 20),  # tombstones
    ],
)
def test_few_batches_are_unpacked_where_they_are_large(
    batches: int, records: int, size: int, before: int, expected: int
) -> None:
    assert at_once(batches, records, size, before) == expected
