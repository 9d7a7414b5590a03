"""A consumer is stopped in good order though its broker went away."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from servicelevel.adapters.embedded.broker import embedded_broker
from servicelevel.adapters.kafka.connection import stop_client
from tests.services.process import wait_until_async

LONG_MS = 600_000
"""Between attempts, so that a fetch that failed surely waits for the next."""


async def test_a_fetch_that_waits_for_the_broker_does_not_break_off_the_stop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with embedded_broker() as address:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        await admin.create_topics([NewTopic("events", 1, 1)])
        await admin.close()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=address, retry_backoff_ms=LONG_MS, fetch_max_wait_ms=100
        )
        await consumer.start()
        consumer.assign([TopicPartition("events", 0)])
        consumer.seek(TopicPartition("events", 0), 0)
    reading = asyncio.create_task(consumer.getmany(timeout_ms=LONG_MS))
    await wait_until_async(
        lambda: "Failed fetch messages" in caplog.text, 60, what="a fetch that failed"
    )

    await stop_client(consumer)

    assert await reading == {}
