"""The table store behind `servicelevel://`: loads a partition's changelog in bulk.

Faust's own recovery moves some thousand entries a second, and its memory store may keep or lose
entries over a rebalance. This one reads on to the end of each assigned changelog partition
before Faust's recovery looks, which then finds nothing to do.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.stores import memory
from faust.types import TP, EventT

from servicelevel.adapters.faust.connection import client_arguments
from servicelevel.adapters.faust.entries import PartitionedEntries
from servicelevel.adapters.kafka.connection import stop_client

_BATCH_RECORDS = 5_000
_FETCH_BYTES = 8 * 1024 * 1024
_POLL_MS = 500


class Store(memory.Store[bytes, bytes]):
    """Raw entries of the assigned partitions, and how far each changelog partition is in them."""

    mundane_level = "debug"  # of its lines «Starting...»; by its module's name they are ours

    def __post_init__(self) -> None:
        super().__post_init__()
        self.data = self.entries = PartitionedEntries()
        self._next: dict[int, int] = {}  # partition → first changelog offset not in `entries`

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],  # noqa: ARG002  # `assigned` says it all
        newly_assigned: set[TP],  # noqa: ARG002
        generation_id: int = 0,  # noqa: ARG002
    ) -> None:
        """Drop the partitions that are not ours any more, and read on in those that are.

        All that is assigned is read, not only what is new: a partition that was another's for a
        moment looks as if it had stayed.
        """
        topic = self.table.changelog_topic.get_topic_name()
        ours = {tp.partition for tp in assigned if tp.topic == topic}
        for partition in set(self._next) - ours:
            self.entries.drop(partition)
            del self._next[partition]
        if ours:
            await self._read_to_end([TopicPartition(topic, number) for number in sorted(ours)])

    def stored(self, partition: int, first: int, count: int) -> bool:
        """Our own records have offsets from `first` on; they are in `entries` already.

        False where `first` is not the next offset: somebody else wrote. The next rebalance reads
        it.
        """
        if self._next.get(partition) != first:
            return False
        self._next[partition] = first + count
        return True

    def persisted_offset(self, tp: TP) -> int | None:
        """The last offset that is in the store, so that Faust reads nothing before it."""
        following = self._next.get(tp.partition)
        return None if following is None else following - 1

    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], Any],  # noqa: ARG002  # entries are kept as they are on the wire
        to_value: Callable[[Any], Any],  # noqa: ARG002
    ) -> None:
        """Apply what Faust read by itself."""
        for event in batch:
            message = event.message
            self._apply(message.partition, message.offset, message.key, message.value)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Nothing: what is not ours was dropped in `on_rebalance`."""

    async def _read_to_end(self, partitions: list[TopicPartition]) -> None:
        consumer = AIOKafkaConsumer(
            **client_arguments(self.app),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        await consumer.start()
        try:
            starts = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            for tp in partitions:
                self._next[tp.partition] = max(self._next.get(tp.partition, 0), starts[tp])
            behind = {tp for tp in partitions if self._next[tp.partition] < ends[tp]}
            if behind:
                await self._catch_up(consumer, behind, ends)
        finally:
            await stop_client(consumer)

    async def _catch_up(
        self,
        consumer: AIOKafkaConsumer,
        behind: set[TopicPartition],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        consumer.assign(behind)
        for tp in behind:
            consumer.seek(tp, self._next[tp.partition])
        while behind:
            await self._read_batch(consumer, _POLL_MS)
            for tp in list(behind):
                position = await consumer.position(tp)  # passes what compaction removed
                self._next[tp.partition] = max(self._next[tp.partition], position)
                if position >= ends[tp]:
                    behind.discard(tp)
        while await self._read_batch(consumer, 0):
            pass  # the rest of a last batch whose start the broker called the end

    async def _read_batch(self, consumer: AIOKafkaConsumer, timeout_ms: int) -> bool:
        batches = await consumer.getmany(timeout_ms=timeout_ms, max_records=_BATCH_RECORDS)
        for tp, records in batches.items():
            for record in records:
                self._apply(tp.partition, record.offset, record.key, record.value)
        await asyncio.sleep(0)  # heartbeats go on, however large the state is
        return bool(batches)

    def _apply(self, partition: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        if key is None or offset < self._next.get(partition, 0):
            return
        entries = self.entries.partition(partition)
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
        self._next[partition] = offset + 1
