"""Reads the sources that are held and hands their records to the counters."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from operator import attrgetter

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from servicelevel.adapters.kafka.flushing import Flusher, Held
from servicelevel.adapters.kafka.records import flat
from servicelevel.application.claims import gap_error
from servicelevel.application.ports import RawRecord, WallClock
from servicelevel.application.source_counter import SourceCounter
from servicelevel.application.vitals import CombinerVitals, SourceVitals
from servicelevel.errors import START_ANEW, StreamError

POLL_MS = 200
SLICE = 2_000  # records counted before other tasks get their turn, or
SLICE_BYTES = 1 << 20  # so many bytes of larger ones, which may hold many events each
MAX_READ = 1_000  # batches taken from the client in one go, which it may have to unpack
MAX_UNTOLD = 500_000  # records of a source counted before they are written
MAX_WAITING = 2_000  # dead letters and late events held before they are sent, or
MAX_WAITING_BYTES = 32 << 20  # so many bytes of larger ones
_VALUE = attrgetter("value")


class SourceReader:
    """`run` it in a task of its own; partitions that are not held are ignored."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        flusher: Flusher,
        clock: WallClock,
        vitals: CombinerVitals,
        *,
        skip_gaps: bool,
    ) -> None:
        self._consumer = consumer
        self._flusher = flusher
        self._clock = clock
        self._vitals = vitals
        self._skip_gaps = skip_gaps

    async def run(self) -> None:
        """Read on until cancelled.

        Raises:
            GapError: records were deleted before they were read; with `skip_gaps` their source is
                given up instead, to be claimed again after them.
            StreamError: a partition ends before what was counted of it.
            KafkaError: the partitions cannot be read any longer.
        """
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_READ)
            except OffsetOutOfRangeError as error:
                await self._look_at_gaps(error)
                continue
            except NoOffsetForPartitionError:
                continue  # of a partition that was assigned a moment ago and is not claimed yet
            # What was read for an earlier claim is not to be counted for a later one.
            held = {partition: self._flusher.held.get(partition) for partition in batches}
            for partition, records in batches.items():
                await self._count(held[partition], flat(records))
            await self._look_at_ends()

    async def _count(self, held: Held | None, records: Sequence[RawRecord]) -> None:
        first = 0
        while held and first < len(records) and self._flusher.held.get(held.partition) is held:
            after = slice_end(records, first)
            held.counter.add(records[first:after], self._clock())
            first = after
            await asyncio.sleep(0)
            if _is_full(held.counter):
                await self._flusher.flush()

    async def _look_at_gaps(self, error: OffsetOutOfRangeError) -> None:
        offsets = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        for partition, offset in offsets.items():
            held = self._flusher.held.get(partition)
            if held is not None:
                await self._look_at_gap(held, offset, error)

    async def _look_at_gap(self, held: Held, offset: int, error: OffsetOutOfRangeError) -> None:
        partition, source = held.partition, held.counter.source
        await self._check_end(held, offset)
        beginning = (await self._consumer.beginning_offsets([partition]))[partition]
        if offset >= beginning:
            return  # the next answer has it
        if offset < held.counter.first >= beginning:  # no gap: these were read for their ids
            with suppress(IllegalStateError):  # assigned to another in this moment
                self._consumer.seek(partition, beginning)
            return
        if not self._skip_gaps:
            raise gap_error(source, max(offset, held.counter.first), beginning) from error
        await self._flusher.flush(heartbeat=True)  # what was counted is not to be read again
        self._flusher.lose(held)

    async def _check_end(self, held: Held, counted: int) -> None:
        end = (await self._consumer.end_offsets([held.partition]))[held.partition]
        if counted > end:
            raise StreamError(
                f"source {held.counter.source}: counted up to offset {counted}, but the broker's "
                f"partition ends at {end}. If its topic was deleted and made anew, {START_ANEW}"
            )

    async def _look_at_ends(self) -> None:
        for held in list(self._flusher.held.values()):
            await self._look_at_end(held)
        counters = {each.counter: each.lag for each in self._flusher.held.values()}
        self._vitals.untold = sum(counter.untold for counter in counters)
        self._vitals.sources = {
            counter.source: SourceVitals(counter.read_to, lag) for counter, lag in counters.items()
        }

    async def _look_at_end(self, held: Held) -> None:
        """Whether all was read; control records of transactions move the consumer's position."""
        if held.partition not in self._consumer.assignment():
            return
        highwater = self._consumer.highwater(held.partition)
        if highwater is None:
            return
        try:
            position = await self._consumer.position(held.partition)
        except IllegalStateError:
            return  # assigned to another in this moment
        first = held.counter.first
        if highwater <= position < first:  # there were ids to read, and nothing after them
            await self._check_end(held, first)
        held.lag = max(0, highwater - max(position, first))
        answered = self._consumer.last_poll_timestamp(held.partition)
        if position < highwater:
            held.end_seen_ms = None
        elif answered != held.answered:
            held.saw_end(self._clock())
        held.answered = answered


def slice_end(records: Sequence[RawRecord], first: int) -> int:
    """Up to where the records from `first` on are counted at once: one at least."""
    part = records[first : first + SLICE]
    if sum(map(len, filter(None, map(_VALUE, part)))) <= SLICE_BYTES:
        return first + len(part)
    sizes = accumulate(len(record.value or b"") for record in part)
    return first + max(1, sum(1 for size in sizes if size <= SLICE_BYTES))


def _is_full(counter: SourceCounter) -> bool:
    return (
        counter.waiting >= MAX_WAITING
        or counter.untold >= MAX_UNTOLD
        or counter.waiting_bytes >= MAX_WAITING_BYTES
    )
