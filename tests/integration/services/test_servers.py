"""The servers that other tests rely on do start, answer and stop."""

import asyncio

import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.conftest import Broker
from tests.services.kafka import KafkaBroker


async def produce(address: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def create(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def first_value(address: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        value: bytes | None = (await consumer.getone()).value
        return value
    finally:
        await consumer.stop()


async def test_a_broker_keeps_what_it_is_given(broker: Broker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}echo"
    await create(broker.address, topic)
    await produce(broker.address, topic, b"value")
    assert await first_value(broker.address, topic) == b"value"


async def test_kafka_keeps_its_data_over_a_kill(own_kafka: KafkaBroker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}echo"
    await create(own_kafka.address, topic)
    await produce(own_kafka.address, topic, b"value")
    await asyncio.to_thread(own_kafka.kill)
    await asyncio.to_thread(own_kafka.start)
    assert await first_value(own_kafka.address, topic) == b"value"


def test_redis_starts_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", "value")
        assert client.get("key") == b"value"
