"""The demo's feed and watch against a broker."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.kafka.connection import client_options, start_producer
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.entrypoints.demo.feed import Feed
from servicelevel.entrypoints.demo.sent import Sent
from servicelevel.entrypoints.demo.traffic import Request
from servicelevel.entrypoints.demo.watch import watching
from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings
from tests.conftest import Broker
from tests.unit.entrypoints.demo.samples import alert, status

TIMEOUT_S = 30


async def with_topics(broker: Broker, prefix: str) -> Settings:
    settings = load_settings(
        {},
        options={
            "brokers": broker.address,
            "topic_prefix": prefix,
            "group": f"{prefix}group",
            "partitions": 2,
            "counts_partitions": 2,
        },
    )
    await create_topics(client_options(settings, "test"), topic_specs(settings), 1)
    return settings


async def test_every_request_arrives_once_and_in_order(broker: Broker, topic_prefix: str) -> None:
    settings = await with_topics(broker, topic_prefix)
    requests = [Request(n, "a", b"%d" % n) for n in range(5_000)]
    sent = Sent()
    producer = await start_producer(settings, "test", max_batch_size=4_096)
    try:
        feed = Feed(producer, settings.topic("requests"), 2, sent)
        for start in range(0, 4_999, 7):
            await feed.send(requests[start : start + 7])
    finally:
        await producer.stop()
    arrived: dict[int, list[int]] = {0: [], 1: []}
    consumer = AIOKafkaConsumer(**client_options(settings, "test"), auto_offset_reset="earliest")
    consumer.assign([TopicPartition(settings.topic("requests"), p) for p in (0, 1)])
    await consumer.start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while sum(map(len, arrived.values())) < len(requests):
                record = await consumer.getone()
                arrived[record.partition].append(int(record.value or b"-1"))
    finally:
        await consumer.stop()
    assert sorted(arrived[0] + arrived[1]) == list(range(5_000))
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    assert len(arrived[0]) == len(arrived[1])
    assert sent.total() == 5_000


async def test_all_outputs_are_watched_from_their_start(broker: Broker, topic_prefix: str) -> None:
    settings = await with_topics(broker, topic_prefix)
    outputs = {
        "warnings": alert("1", "raised"),
        "breaches": alert("2", "raised", kind="breach"),
        "status": status(),
    }
    producer = await start_producer(settings, "test")
    try:
        for topic, event in outputs.items():
            value = event.model_dump_json().encode()
            await producer.send_and_wait(settings.topic(topic), value, key=event.subject.encode())
    finally:
        await producer.stop()
    found: list[AlertEvent | StatusEvent] = []
    async with asyncio.timeout(TIMEOUT_S), watching(settings) as events:
        async for event in events:
            found.append(event)
            if len(found) == len(outputs):
                break
    assert sorted(event.id for event in found) == ["1", "2", "s"]
