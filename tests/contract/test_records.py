"""Records handed over raw are the records that aiokafka gives."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from servicelevel.adapters.kafka.records import hand_over_raw
from servicelevel.application.ports import RawRecord
from tests.conftest import Broker

COUNT = 500


@pytest.fixture
async def partition(broker: Broker, topic_prefix: str) -> TopicPartition:
    """A partition with compressed and plain batches, keys, headers and tombstones."""
    topic = f"{topic_prefix}records"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    for compression in (None, "gzip"):
        producer = AIOKafkaProducer(
            bootstrap_servers=broker.address, compression_type=compression, linger_ms=20
        )
        await producer.start()
        for n in range(COUNT // 2):
            await producer.send(
                topic,
                value=None if n % 60 == 9 else b"value %d" % n,
                key=None if n % 3 else b"key %d" % n,
                headers=[("h", b"%d" % n)] if n % 5 == 0 else None,
                timestamp_ms=1_767_225_600_000 + n,
            )
        await producer.stop()
    return TopicPartition(topic, 0)


async def read(
    broker: Broker, partition: TopicPartition, *, raw: bool, start: int, max_records: int | None
) -> list[RawRecord]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="none")
    await consumer.start()
    try:
        if raw:
            assert hand_over_raw(consumer)
        consumer.assign([partition])
        consumer.seek(partition, start)
        records: list[RawRecord] = []
        while await consumer.position(partition) < COUNT:
            for some in (await consumer.getmany(timeout_ms=500, max_records=max_records)).values():
                records += some
        return records
    finally:
        await consumer.stop()


def fields(records: list[RawRecord]) -> list[tuple[object, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


@pytest.mark.parametrize("max_records", [None, 7])
@pytest.mark.parametrize("start", [0, 123])
async def test_both_ways_give_the_same(
    broker: Broker, partition: TopicPartition, start: int, max_records: int | None
) -> None:
    slow = await read(broker, partition, raw=False, start=start, max_records=max_records)
    fast = await read(broker, partition, raw=True, start=start, max_records=max_records)
    assert fields(fast) == fields(slow)
    assert [record.offset for record in fast] == list(range(start, COUNT))
    assert type(slow[0]).__name__ == "ConsumerRecord"
    assert type(fast[0]).__name__ != "ConsumerRecord"


async def test_a_client_built_otherwise_is_left_alone(broker: Broker) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, value_deserializer=bytes.decode)
    assert not hand_over_raw(consumer)  # not started: no fetcher
    await consumer.start()
    await asyncio.sleep(0)  # its tasks must have begun before they can be ended
    try:
        assert not hand_over_raw(consumer)  # the deserializer would be skipped
    finally:
        await consumer.stop()
