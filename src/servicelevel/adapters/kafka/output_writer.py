"""Sends what we tell to Kafka, and waits until the brokers have it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Protocol

from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner, murmur2

from servicelevel.adapters.kafka.connection import start_producer
from servicelevel.domain.outputs import Output
from servicelevel.errors import DependencyError
from servicelevel.schemas.outputs import Message, message
from servicelevel.settings import Settings

PIECE = 200
"""Messages encoded and taken before others have their turn: some 10 ms."""

KNOWN_KEYS = 100_000
"""Keys whose hashes are remembered, some 200 bytes each."""


class Partitioner:
    """Kafka's own, by the murmur2 of the key; each key, which comes again and again, once."""

    def __init__(self) -> None:
        self._murmur2 = lru_cache(KNOWN_KEYS)(murmur2)

    def __call__(
        self, key: bytes | None, all_partitions: Sequence[int], available: Sequence[int]
    ) -> int:
        """As aiokafka's default, which takes 15 µs for a key of 50 bytes."""
        if key is None:
            return int(DefaultPartitioner()(key, all_partitions, available))
        hashed = int(self._murmur2(key)) & 0x7FFFFFFF
        return all_partitions[hashed % len(all_partitions)]


class Producer(Protocol):
    """What of aiokafka's producer is used here."""

    async def send(
        self, topic: str, value: bytes | None = None, key: bytes | None = None
    ) -> Awaitable[object]: ...


class OutputWriter:
    """Writes under full topic names; `topic_name` makes them of ours."""

    def __init__(self, producer: Producer, topic_name: Callable[[str], str]) -> None:
        self._producer = producer
        self._topic_name = topic_name

    async def send_all(self, outputs: Iterable[Output]) -> None:
        """Send outputs, in order; returns when all are acknowledged.

        Raises `DependencyError` if one is not; others may have been written all the same.
        """
        await self.send_messages(message(output) for output in outputs)

    async def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Send one message; `topic` is without prefix. Raises `DependencyError`."""
        await self.send_messages([(topic, key, value)])

    async def send_messages(
        self, messages: Iterable[Message | tuple[str, bytes | None, bytes]]
    ) -> None:
        """Send many, in order; returns when all are acknowledged. Raises `DependencyError`."""
        sent: list[Awaitable[object]] = []
        refused: BaseException | None = None
        for number, (topic, key, value) in enumerate(messages, 1):
            if number % PIECE == 0:
                await asyncio.sleep(0)  # taking a message does not wait, most often
            try:
                sent.append(await self._producer.send(self._topic_name(topic), value, key))
            except KafkaError as error:
                refused = error
                break
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
        failures = [o for o in (*outcomes, refused) if isinstance(o, BaseException)]
        for failure in failures:
            if not isinstance(failure, KafkaError):
                raise failure
        if failures:
            raise DependencyError(
                f"{len(failures)} of the outputs could not be written ({failures[0]!r}): "
                "are the brokers up, and is there each topic (`servicelevel topics check`)?"
            ) from failures[0]


@asynccontextmanager
async def open_writer(settings: Settings, role: str) -> AsyncIterator[OutputWriter]:
    """A writer on a producer of its own; all replicas acknowledge. Raises `DependencyError`."""
    producer = await start_producer(settings, role, partitioner=Partitioner())
    try:
        yield OutputWriter(producer, settings.topic)
    finally:
        await producer.stop()
