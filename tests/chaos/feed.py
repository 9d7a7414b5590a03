"""Writes traffic to the input topic at its pace, whatever becomes of the broker meanwhile."""

import asyncio
import time
from collections.abc import Iterable
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.chaos.traffic import Traffic

TICK_S = 0.05
MOST_AT_ONCE = 2_000
RETRY_S = 1.0


class Feed:
    """What is written is the record of the run; what a dying broker refused is not in it."""

    def __init__(self, address: str, topic: str, traffic: Traffic) -> None:
        self._address, self._topic, self._traffic = address, topic, traffic
        self._stop = asyncio.Event()
        self.sent = 0
        self.refused = 0

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        """Write until `stop`, then a last event in each partition."""
        records = self._traffic.records()
        begun = time.monotonic()
        made = 0
        while not self._stop.is_set():
            async with self._producer() as producer:
                try:
                    while not self._stop.is_set():
                        due = int((time.monotonic() - begun) * self._traffic.rate) - made
                        batch = list(islice(records, min(due, MOST_AT_ONCE)))
                        made += len(batch)
                        await self._write(producer, batch)
                        await asyncio.sleep(TICK_S)
                except KafkaError:
                    await asyncio.sleep(RETRY_S)
        async with self._producer() as producer:
            await self._write(producer, self._traffic.marks())

    async def _write(
        self, producer: AIOKafkaProducer, records: Iterable[tuple[int, bytes]]
    ) -> None:
        sent = [
            await producer.send(self._topic, value, partition=partition)
            for partition, value in records
        ]
        for result in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(result, BaseException):
                self.refused += 1
            else:
                self.sent += 1

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._address,
            enable_idempotence=True,
            request_timeout_ms=60_000,
            linger_ms=5,
            max_batch_size=1 << 18,
        )
