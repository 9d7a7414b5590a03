"""Reads the sources that are held and hands their records to the counters."""

import asyncio
from collections.abc import Sequence
from itertools import accumulate
from operator import attrgetter

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from servicelevel.adapters.kafka.flushing import Flusher, Held
from servicelevel.adapters.kafka.records import flat
from servicelevel.application.claims import gap_error
from servicelevel.application.ports import RawRecord, WallClock
from servicelevel.application.vitals import CombinerVitals, SourceVitals
from servicelevel.errors import START_ANEW, StreamError

POLL_MS = 200
SLICE = 2_000  # records counted before other tasks get their turn, or
SLICE_BYTES = 1 << 20  # so many bytes of larger ones, which may hold many events each
MAX_READ = 1_000  # batches taken from the client in one go, or
MAX_READ_BYTES = 16 << 20  # about so many bytes: the client unpacks all of them at once
# Of all sources together, before nothing more is read until they are written:
MAX_UNTOLD = 500_000  # records counted
MAX_SIZE = 200_000  # events, sums and cells held for them, some 400 bytes each
MAX_WAITING = 2_000  # dead letters and late events, or
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
        max_size: int = MAX_SIZE,
    ) -> None:
        self._consumer = consumer
        self._flusher = flusher
        self._clock = clock
        self._vitals = vitals
        self._skip_gaps = skip_gaps
        self._max_size = max_size
        self._at_once = 1  # batches taken in one go

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
                batches = await self._consumer.getmany(
                    timeout_ms=POLL_MS, max_records=self._at_once
                )
            except OffsetOutOfRangeError as error:
                await self._look_at_gaps(error)
                continue
            except NoOffsetForPartitionError:
                continue  # of a partition that was assigned a moment ago and is not claimed yet
            read = size = 0
            for partition, records in batches.items():
                read += len(records)
                size += await self._count(partition, flat(records))
            if read:
                self._at_once = at_once(read, size, self._at_once)
            await self._look_at_ends()

    async def _count(self, partition: TopicPartition, records: Sequence[RawRecord]) -> int:
        """The bytes of their values."""
        size = sum(map(len, filter(None, map(_VALUE, records))))
        held = self._flusher.held.get(partition)
        if held is None:
            return size
        first = 0
        while first < len(records):
            after = slice_end(records, first)
            held.counter.add(records[first:after], self._clock())
            first = after
            await asyncio.sleep(0)
            if self._is_full():
                await self._flusher.flush()
            if self._flusher.held.get(partition) is not held:
                break
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
        end = (await self._consumer.end_offsets([partition]))[partition]
        if offset > end:
            raise StreamError(
                f"source {source}: counted up to offset {offset}, but the broker's partition ends "
                f"at {end}. If its topic was deleted and made anew, {START_ANEW}"
            ) from error
        beginning = (await self._consumer.beginning_offsets([partition]))[partition]
        if offset >= beginning:
            return  # the next answer has it
        if not self._skip_gaps:
            raise gap_error(source, offset, beginning) from error
        await self._flusher.flush(heartbeat=True)  # what was counted is not to be read again
        self._flusher.lose(held)

    async def _look_at_ends(self) -> None:
        for held in list(self._flusher.held.values()):
            await self._look_at_end(held)
        counters = {each.counter: each.lag for each in self._flusher.held.values()}
        self._vitals.untold = sum(counter.untold for counter in counters)
        self._vitals.sources = {
            counter.source: SourceVitals(counter.position, lag) for counter, lag in counters.items()
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
        held.lag = max(0, highwater - position)
        answered = self._consumer.last_poll_timestamp(held.partition)
        if held.lag:
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


def at_once(batches: int, size: int, before: int) -> int:
    """How many batches to take next time, where so many had `size` bytes, unpacked.

    At most twice as many as `before`: what comes may be larger.
    """
    wanted = MAX_READ_BYTES * batches // max(size, 1)
    return max(1, min(wanted, 2 * before, MAX_READ))
