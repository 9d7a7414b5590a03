"""Writes messages to given partitions of `counts`."""

import asyncio
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer


class CountsWriter:
    """Keeps the order of each partition; `max_bytes` is the largest message it takes."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, max_bytes: int) -> None:
        self._producer = producer
        self._topic = topic
        self.max_bytes = max_bytes

    async def write(self, messages: Iterable[tuple[int, bytes]]) -> dict[int, int]:
        """Write (partition, value) pairs; the offset of the last one, by partition.

        Raises:
            KafkaError: one was not acknowledged; others may have been written all the same.
        """
        acks = [
            await self._producer.send(self._topic, value=value, partition=partition)
            for partition, value in messages
        ]
        return {ack.partition: ack.offset for ack in await asyncio.gather(*acks)}
