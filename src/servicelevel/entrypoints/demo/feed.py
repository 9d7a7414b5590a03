"""Sends requests to the broker in batches: hours of history at once, then as they come."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from servicelevel.entrypoints.demo.sent import Sent
from servicelevel.entrypoints.demo.traffic import Request


class Feed:
    """Spreads requests evenly over the partitions of a topic, whatever their service."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int, sent: Sent) -> None:
        self._producer = producer
        self._topic = topic
        self._partitions = partitions
        self._sent = sent
        self._turn = 0

    async def send(self, requests: Sequence[Request]) -> None:
        """Send and wait until the broker has them all."""
        start, self._turn = self._turn, (self._turn + len(requests)) % self._partitions
        await asyncio.gather(
            *(
                self._send_to((start + n) % self._partitions, requests[n :: self._partitions])
                for n in range(self._partitions)
            )
        )
        for request in requests:
            self._sent.add(request)

    async def _send_to(self, partition: int, requests: Iterable[Request]) -> None:
        confirmations: list[asyncio.Future[object]] = []
        batch = self._producer.create_batch()
        for request in requests:
            if not _append(batch, request):
                confirmations.append(await self._hand_over(batch, partition))
                batch = self._producer.create_batch()
                _append(batch, request)
        if batch.record_count():
            confirmations.append(await self._hand_over(batch, partition))
        await asyncio.gather(*confirmations)

    async def _hand_over(self, batch: BatchBuilder, partition: int) -> "asyncio.Future[object]":
        batch.close()
        confirmation: asyncio.Future[object] = await self._producer.send_batch(
            batch, self._topic, partition=partition
        )
        return confirmation


def _append(batch: BatchBuilder, request: Request) -> bool:
    return (
        batch.append(key=None, value=request.value, timestamp=request.time_ms, headers=[])
        is not None
    )
