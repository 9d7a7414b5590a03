"""Sends what we tell to Kafka, and waits until the brokers have it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.protocol.transaction import InitProducerIdRequest

from servicelevel.domain.outputs import Output
from servicelevel.errors import DependencyError
from servicelevel.schemas.outputs import Message, message

_PID_TIMEOUT_MS = 60_000


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
        """Send transitions and statuses, in order; returns when all are acknowledged.

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
        for topic, key, value in messages:
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
async def open_writer(
    client: Mapping[str, Any], topic_name: Callable[[str], str]
) -> AsyncIterator[OutputWriter]:
    """A writer on a producer of its own; `client` is how aiokafka connects.

    Every in-sync replica must acknowledge. Where the brokers can, a repeat of the producer's own
    is dropped by them; where they cannot, readers drop it by `id`. Raises `DependencyError`.
    """
    producer = AIOKafkaProducer(**client, acks="all")
    try:
        await _start(producer, client)
        if await _gives_producer_ids(producer):
            await producer.stop()
            producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True)
            await _start(producer, client)
        yield OutputWriter(producer, topic_name)
    finally:
        await producer.stop()


async def _start(producer: AIOKafkaProducer, client: Mapping[str, Any]) -> None:
    try:
        await producer.start()
    except (KafkaError, OSError) as error:
        raise DependencyError(
            f"no answer from the brokers {client.get('bootstrap_servers')} ({error})"
        ) from error


async def _gives_producer_ids(producer: AIOKafkaProducer) -> bool:
    """Asked first: with a broker that refuses, an idempotent producer fails every send."""
    request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=_PID_TIMEOUT_MS)
    try:
        response = await producer.client.send(producer.client.get_random_node(), request)
    except KafkaError:
        return False
    return bool(response.error_code == 0)
