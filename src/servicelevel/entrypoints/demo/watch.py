"""Follows the topics that the evaluator writes, from their start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.kafka.connection import client_options, start, stop_client
from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent
from servicelevel.schemas.outputs import parse_status, parse_transition
from servicelevel.settings import Settings

_ALERTS = ("warnings", "breaches")
_STATUS = "status"


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[AsyncIterator[AlertEvent | StatusEvent]]:
    """Yields all output events there are, and then those that come, in order per partition."""
    consumer = AIOKafkaConsumer(
        **client_options(settings, "demo-watch"),
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    consumer.assign(
        [
            TopicPartition(settings.topic(name), partition)
            for name in (*_ALERTS, _STATUS)
            for partition in range(settings.counts_partitions)
        ]
    )
    await start(consumer, settings)
    try:
        yield _events(consumer, settings.topic(_STATUS))
    finally:
        await stop_client(consumer)


async def _events(
    consumer: AIOKafkaConsumer, status_topic: str
) -> AsyncIterator[AlertEvent | StatusEvent]:
    async for record in consumer:
        if record.value is not None:
            is_status = record.topic == status_topic
            yield parse_status(record.value) if is_status else parse_transition(record.value)
