"""A producer starts on every broker, whether it gives out producer ids or not."""

import logging

import pytest

from servicelevel.adapters.kafka.connection import start_producer
from servicelevel.settings import Settings
from tests.conftest import Broker


async def test_starting_is_no_error_in_the_log(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    producer = await start_producer(Settings(brokers=broker.address), "test")
    await producer.stop()

    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
    assert logging.getLogger("aiokafka.producer.sender").filters == []
