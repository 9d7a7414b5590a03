"""What the combiner does when a broker has deleted a part of its topics.

Apache Kafka only: the embedded broker keeps no metadata of commits and deletes no records.
"""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from servicelevel.errors import GapError
from servicelevel.settings import Settings
from tests.contract.counting import World, event
from tests.services.kafka import KafkaBroker
from tests.services.process import wait_until_async


@pytest.fixture
async def world(kafka: KafkaBroker, topic_prefix: str) -> World:
    settings = Settings(
        brokers=kafka.address,
        topic_prefix=topic_prefix,
        group=f"{topic_prefix}sl",
        flush_interval_ms=50,
        session_timeout_ms=6_000,
    )
    world = World(settings)
    await world.create_topics()
    return world


async def delete(world: World, topic: str, before: Mapping[int, int]) -> None:
    """Delete all before an offset in each partition; -1 is all there is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.brokers)
    await admin.start()
    try:
        name = world.settings.topic(topic)
        await admin.delete_records(
            {TopicPartition(name, n): RecordsToDelete(offset) for n, offset in before.items()}
        )
    finally:
        await admin.close()


async def test_starts_from_the_metadata_of_commits(world: World) -> None:
    """`counts` was read by the evaluators and is gone."""
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await delete(world, "counts", dict.fromkeys(range(4), -1))
    await world.produce([event(n) for n in range(400, 800)])
    async with world.running("b") as combiner:
        await wait_until_async(lambda: combiner.vitals.read, 30, what="events read")
    assert combiner.vitals.read == 400
    assert combiner.vitals.rejected == 0


async def test_deleted_records_of_a_source_are_a_gap(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await world.produce(event(n) for n in range(400, 800))
    await delete(world, "requests", {2: 150})
    with pytest.raises(GapError, match=r"requests/2.*100.*is 150.*retention\.ms.*start anew"):
        await asyncio.wait_for(world.combiner("b").run(asyncio.Event()), 60)


async def test_deleted_counts_without_metadata_are_a_gap(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        counts = await world.until_counted()
    await delete(world, "counts", dict.fromkeys(range(4), 1))
    settings = world.settings.model_copy(update={"group": f"{world.settings.group}-other"})
    other = World(settings)
    with pytest.raises(GapError, match=r"requests/.*partition.*retention of counts.*start anew"):
        await asyncio.wait_for(other.combiner("b").run(asyncio.Event()), 60)
    assert counts.messages > 4
