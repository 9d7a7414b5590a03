"""Outputs reach every broker, idempotent producers or not."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.kafka.output_writer import open_writer
from servicelevel.adapters.kafka.topics import TopicSpec, create_topics
from servicelevel.settings import Settings
from tests.conftest import Broker


async def test_what_is_sent_is_there_when_the_call_returns(
    broker: Broker, topic_prefix: str
) -> None:
    client = {"bootstrap_servers": broker.address}
    await create_topics(client, [TopicSpec(topic_prefix + "late", 1)], replicas=1)

    settings = Settings(brokers=broker.address, topic_prefix=topic_prefix)
    async with open_writer(settings, "test") as writer:
        await writer.send_messages([("late", b"k", str(n).encode()) for n in range(100)])

    partition = TopicPartition(topic_prefix + "late", 0)
    async with AIOKafkaConsumer(**client, auto_offset_reset="earliest") as consumer:
        consumer.assign([partition])
        values: list[bytes] = []
        while len(values) < 100:
            values.append((await consumer.getone()).value)
    assert values == [str(n).encode() for n in range(100)]
