"""The writer returns only when every output is acknowledged."""

import asyncio
from collections.abc import Awaitable

import pytest
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.adapters.kafka.output_writer import OutputWriter, Partitioner
from servicelevel.errors import DependencyError


class FakeProducer:
    """Gives out futures that the test settles."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None]] = []
        self.futures: list[asyncio.Future[object]] = []

    async def send(
        self, topic: str, value: bytes | None = None, key: bytes | None = None
    ) -> Awaitable[object]:
        self.sent.append((topic, key, value))
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


async def _all_sent(producer: FakeProducer, count: int) -> None:
    while len(producer.futures) < count:
        await asyncio.sleep(0)


async def test_it_returns_when_all_are_acknowledged() -> None:
    producer = FakeProducer()
    writer = OutputWriter(producer, lambda name: "p." + name)
    task = asyncio.ensure_future(writer.send_messages([("late", b"k", b"1"), ("late", None, b"2")]))
    await _all_sent(producer, 2)
    producer.futures[1].set_result(None)
    await asyncio.sleep(0)
    assert not task.done()

    producer.futures[0].set_result(None)
    await task

    assert producer.sent == [("p.late", b"k", b"1"), ("p.late", None, b"2")]


async def test_what_is_not_acknowledged_is_an_error_once_all_have_settled() -> None:
    producer = FakeProducer()
    writer = OutputWriter(producer, str)
    task = asyncio.ensure_future(writer.send_messages([("late", b"k", b"1"), ("late", None, b"2")]))
    await _all_sent(producer, 2)
    producer.futures[0].set_exception(KafkaTimeoutError())
    await asyncio.sleep(0)
    assert not task.done()

    producer.futures[1].set_result(None)
    with pytest.raises(DependencyError, match="1 of the outputs"):
        await task


async def test_nothing_to_send_is_fine() -> None:
    producer = FakeProducer()
    await OutputWriter(producer, str).send_all([])
    assert producer.sent == []


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1), st.integers(1, 12))
def test_a_key_goes_where_every_client_of_kafka_puts_it(keys: list[bytes], count: int) -> None:
    ours, theirs = Partitioner(), DefaultPartitioner()
    every = list(range(count))
    for key in [*keys, *keys]:
        assert ours(key, every, every) == theirs(key, every, every)


def test_what_has_no_key_goes_to_a_partition_that_is_there() -> None:
    assert Partitioner()(None, [0, 1, 2], [1]) == 1
