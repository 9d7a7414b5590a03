"""Reads the sources that are held and hands their records to the counters."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from servicelevel.adapters.kafka.flushing import Flusher, Held
from servicelevel.adapters.kafka.records import flat
from servicelevel.application.claims import gap_error
from servicelevel.application.fetched import Fetched
from servicelevel.application.ports import RawRecord, WallClock
from servicelevel.application.vitals import CombinerVitals, SourceVitals
from servicelevel.errors import START_ANEW, StreamError

POLL_MS = 200
SLICE = 500  # records counted before other tasks get their turn, or
SLICE_BYTES = 1 << 20  # so many bytes of larger ones, which may hold many events each
MAX_READ = 1_000  # of the client's batches, or records, taken in one go, with about
ENOUGH = 1_000  # records in them; more are not in the processor's cache when they are counted
MAX_READ_BYTES = 16 << 20  # and so many bytes: the client unpacks all of them at once
LOOK_EACH = 16  # reads of a backlog between two looks at how far its end is
# Of all sources together, before nothing more is read until they are written:
MAX_UNTOLD = 500_000  # records counted
MAX_SIZE = 200_000  # events, sums and cells held for them, some 400 bytes each
MAX_WAITING = 2_000  # dead letters and late events, or
MAX_WAITING_BYTES = 32 << 20  # so many bytes of larger ones


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
        max_size: int = MAX_SIZE,
    ) -> None:
        self._consumer = consumer
        self._flusher = flusher
        self._clock = clock
        self._vitals = vitals
        self._skip_gaps = skip_gaps
        self._max_size = max_size

    async def run(self) -> None:
        """Read on until cancelled.

        Raises:
            GapError: records were deleted before they were read; with `skip_gaps` their source is
                given up instead, to be claimed again after them.
            StreamError: a partition ends before what was counted of it.
            KafkaError: the partitions cannot be read any longer.
        """
        reads, wanted = 0, 1
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=wanted)
            except OffsetOutOfRangeError as error:
                await self._look_at_gaps(error)
                continue
            except NoOffsetForPartitionError:
                continue  # of a partition that was assigned a moment ago and is not claimed yet
            taken = sum(map(len, batches.values()))
            # What was read for an earlier claim is not to be counted for a later one.
            held = {partition: self._flusher.held.get(partition) for partition in batches}
            found = [(held[partition], flat(records)) for partition, records in batches.items()]
            size = 0
            for source, records in found:
                size += await self._count(source, records)
            reads += 1
            if taken < wanted or reads % LOOK_EACH == 0:
                await self._look_at_ends()
            if taken:
                count = sum(len(records) for _, records in found)
                wanted = at_once(taken, count, size, wanted)

    async def _count(self, held: Held | None, records: Sequence[RawRecord]) -> int:
        """How many bytes of them were counted."""
        first = size = 0
        while held and first < len(records) and self._flusher.held.get(held.partition) is held:
            part = slice_of(records, first)
            held.counter.add(part, self._clock())
            first += len(part)
            size += part.size
            await asyncio.sleep(0)
            if self._is_full():
                await self._flusher.flush()
        return size

    def _is_full(self) -> bool:
        """Whether as much is held as may be; so it stays while the brokers take nothing."""
        untold = size = waiting = waiting_bytes = 0
        for held in self._flusher.held.values():
            untold += held.counter.untold
            size += held.counter.size
            waiting += held.counter.waiting
            waiting_bytes += held.counter.waiting_bytes
        return (
            untold >= MAX_UNTOLD
            or size >= self._max_size
            or waiting >= MAX_WAITING
            or waiting_bytes >= MAX_WAITING_BYTES
        )

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


def slice_of(records: Sequence[RawRecord], first: int) -> Fetched:
    """The records from `first` on that are counted at once: one at least."""
    part = Fetched.of(records[first : first + SLICE])
    if part.size <= SLICE_BYTES:
        return part
    sizes = accumulate(len(value or b"") for value in part.values)
    return part[: max(1, sum(1 for size in sizes if size <= SLICE_BYTES))]


def at_once(batches: int, records: int, size: int, before: int) -> int:
    """How many batches to take next time, where so many had `records`, of `size` bytes unpacked.

    At most twice as many as `before`: what comes may be larger.
    """
    enough = ENOUGH * batches // max(records, 1)
    fitting = MAX_READ_BYTES * batches // max(size, 1)
    return max(1, min(enough, fitting, 2 * before, MAX_READ))
