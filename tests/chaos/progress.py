"""Follows the evaluators' changelog as it grows: how far each counts partition is."""

import json
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition


class Progress:
    """`states` by counts partition are the newest progress entries."""

    def __init__(
        self, address: str, changelog: str, partitions: int, consumer: Any | None = None
    ) -> None:
        """`start` makes a consumer at `address`, unless there is one already."""
        self._address, self._partitions = address, partitions
        self._topics = [TopicPartition(changelog, n) for n in range(partitions)]
        self._offsets: dict[int, int] = {}
        self.states: dict[int, dict[str, Any]] = {}
        self._consumer: Any | None = consumer

    async def start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._address, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await self._consumer.start()
        self._consumer.assign(self._topics)

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def follow(self) -> None:
        """Read on, until cancelled."""
        assert self._consumer is not None
        while True:
            for topic, records in (await self._consumer.getmany(timeout_ms=300)).items():
                for record in records:
                    if b"/p#" in record.key and record.value is not None:
                        self._take(topic.partition, json.loads(record.value))

    def _take(self, partition: int, value: list[Any]) -> None:
        offset, *content = value
        # An owner that has claimed the table, and stored no progress yet, has none to show.
        if content and content[0] is not None and offset >= self._offsets.get(partition, -1):
            self._offsets[partition] = offset
            self.states[partition] = content[0]

    def has(self, source: str, offset: int) -> bool:
        """Whether every counts partition has applied the source up to an offset."""
        applied = [s["sources"].get(source, (0, "", 0))[2] for s in self.states.values()]
        return len(applied) == self._partitions and min(applied) >= offset

    def complete_to_ms(self) -> int:
        """Up to this time every pane of every partition is complete."""
        if len(self.states) < self._partitions:
            return 0
        return min(state["watermark_ms"] or 0 for state in self.states.values())
