"""Reads all partitions of `counts` to their end and says what of them is in force.

A combiner learns here whether its claims and ranges are accepted: from the log, which decides,
and not from the evaluators, which may be behind or away.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from servicelevel.application.claims import States, is_held
from servicelevel.application.commits import Mark, TailStart, gap
from servicelevel.application.ports import RawRecord
from servicelevel.domain.counts import Claim, Range
from servicelevel.domain.ledger import Ledger
from servicelevel.errors import GapError
from servicelevel.schemas.counts import decode_ledger

POLL_MS = 500
_GAP = "messages on counts were deleted before a combiner read them"
_WHAT_TO_DO = "Lengthen the retention of counts, then start the combiner again"


class CountsTail:
    """`run` it in a task of its own.

    `consumer` and `lookup` are started and without a group. The first is used here alone, with
    `auto_offset_reset="none"`; the second answers questions, which would have to wait for the
    first one's long polls.
    """

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        lookup: AIOKafkaConsumer,
        topic: str,
        starts: Sequence[TailStart],
    ) -> None:
        self._consumer = consumer
        self._lookup = lookup
        self._partitions = [TopicPartition(topic, n) for n in range(len(starts))]
        self._starts = starts
        self._positions = [start.position for start in starts]
        self._ledgers = [
            Ledger({source: mark.state for source, mark in start.marks.items()}) for start in starts
        ]
        # A mark holds what the log says of its source up to the mark's position.
        self._marked = [max([m.position for m in s.marks.values()], default=0) for s in starts]
        self._orphans: list[set[str]] = [set() for _ in starts]
        self._moved = asyncio.Condition()

    async def run(self) -> None:
        """Read on until cancelled.

        Raises:
            GapError: messages were deleted before they were read.
            StateError: a message is of another version, or not of ours.
            KafkaError: the partitions cannot be read any longer.
        """
        self._consumer.assign(self._partitions)
        for partition, position in zip(self._partitions, self._positions, strict=True):
            self._consumer.seek(partition, position)
        while True:
            try:
                batches = await self._consumer.getmany(timeout_ms=POLL_MS)
            except OffsetOutOfRangeError as error:
                raise GapError(f"{_GAP} ({error!r}). {_WHAT_TO_DO}") from error
            if not batches:
                continue
            for partition, records in batches.items():
                self._read(partition.partition, records)
            async with self._moved:
                self._moved.notify_all()

    def _read(self, partition: int, records: Iterable[RawRecord]) -> None:
        ledger = self._ledgers[partition]
        for record in records:
            if record.offset != self._positions[partition]:
                raise GapError(
                    f"{_GAP} (partition {partition} goes on at offset {record.offset}, not "
                    f"{self._positions[partition]}). {_WHAT_TO_DO}"
                )
            if record.value is not None:
                message = decode_ledger(record.value)
                for claim in message.claims:
                    if self._is_new(partition, claim, record.offset):
                        ledger.claim(claim)
                for range_ in message.ranges:
                    if self._is_new(partition, range_, record.offset):
                        self._note_orphan(partition, range_.source)
                        ledger.apply(range_)
            self._positions[partition] = record.offset + 1

    def _is_new(self, partition: int, what: Claim | Range, offset: int) -> bool:
        if offset >= self._marked[partition]:
            return True
        mark = self._starts[partition].marks.get(what.source)
        return mark is None or offset >= mark.position

    def _note_orphan(self, partition: int, source: str) -> None:
        """A range without a claim, where the log's start is deleted: its claim was there."""
        if self._starts[partition].truncated and source not in self._ledgers[partition].sources:
            self._orphans[partition].add(source)

    @property
    def counts_partitions(self) -> range:
        """The partitions of `counts`."""
        return range(len(self._partitions))

    def position(self, partition: int) -> int:
        """The offset after the last message of a counts partition that was read."""
        return self._positions[partition]

    def states(self, source: str) -> States:
        """What is known of a source in each counts partition.

        Raises:
            GapError: it was claimed in a part of the log that is deleted.
        """
        for partition, orphans in enumerate(self._orphans):
            known = self._ledgers[partition].sources
            if source in orphans and source not in known:
                raise gap(source, partition, 0, self._starts[partition].position)
        return {n: ledger.sources.get(source) for n, ledger in enumerate(self._ledgers)}

    def partitions_of(self, topic: str) -> int:
        """How many partitions a source topic had by the claims that were read; 0: none says it."""
        return max(ledger.partitions.get(topic, 0) for ledger in self._ledgers)

    def accepted(self, source: str, epoch: int, owner: str) -> bool:
        """Whether this claim on the source is in force in every counts partition."""
        return is_held(self.states(source), epoch, owner)

    def marks(self, source: str) -> dict[int, Mark]:
        """The source's state in each counts partition where it is known, with the position."""
        return {
            partition: Mark(self._positions[partition], state)
            for partition, state in self.states(source).items()
            if state is not None
        }

    async def caught_up(self) -> None:
        """Wait until all messages are read that the brokers have now."""
        ends = await self._lookup.end_offsets(self._partitions)
        await self.passed({partition.partition: end - 1 for partition, end in ends.items()})

    async def passed(self, offsets: Mapping[int, int]) -> None:
        """Wait until the message at the offset in each of these counts partitions is read."""
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(self._positions[n] > offset for n, offset in offsets.items())
            )
