"""What a combiner does when its group or its topics are not those that it counted by before.

Apache Kafka only: the embedded broker deletes no groups and adds no partitions.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from servicelevel.adapters.kafka.group import group_name
from servicelevel.errors import StateError, StreamError
from tests.contract.counting import World, event, world_of
from tests.services.kafka import KafkaBroker
from tests.services.process import wait_until_async


@pytest.fixture
async def world(kafka: KafkaBroker, topic_prefix: str) -> World:
    """400 events in four partitions, counted."""
    world = await world_of(kafka.address, topic_prefix)
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    return world


@asynccontextmanager
async def admin_of(world: World) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.brokers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_anew(world: World, topic: str, partitions: int) -> None:
    """Delete a topic and make one of the same name."""
    name = world.settings.topic(topic)
    async with admin_of(world) as admin:
        await admin.delete_topics([name])

        async def is_gone() -> bool:
            return name not in await admin.list_topics()

        async def is_made() -> bool:
            await admin.create_topics([NewTopic(name, partitions, 1)])
            return name in await admin.list_topics()

        await wait_until_async(is_gone, 30, what="the topic deleted")
        await wait_until_async(is_made, 30, what="the topic made anew")


async def run(world: World) -> None:
    await asyncio.wait_for(world.combiner("b").run(asyncio.Event()), 60)


async def test_a_group_without_its_offsets_counts_on_by_the_log(
    world: World, kafka: KafkaBroker
) -> None:
    """Its generation begins anew, too, below the epochs in the log."""
    await world.produce(event(n) for n in range(400, 800))
    async with world.running("b"):
        await world.until_counted()
    await asyncio.to_thread(kafka.delete_group, group_name(world.settings))
    await world.produce(event(n) for n in range(800, 1_200))
    async with world.running("c") as combiner:
        counts = await world.until_counted()
        assert combiner.vitals.read == 400
    assert counts.ignored == 0


async def test_more_counts_partitions_than_before_are_an_error(world: World) -> None:
    async with admin_of(world) as admin:
        await admin.create_partitions({world.settings.topic("counts"): NewPartitions(6)})
    before = await world.read_counts()
    settings = world.settings.model_copy(update={"counts_partitions": 6})
    with pytest.raises(StateError, match=r"counts partition 4, 5 knows nothing.*start anew"):
        await run(World(settings))
    assert (await world.read_counts()).messages == before.messages


async def test_a_source_topic_with_fewer_partitions_than_before_is_an_error(world: World) -> None:
    await make_anew(world, "requests", 2)
    before = await world.read_counts()
    with pytest.raises(StateError, match=r"requests has 2 partitions, and had 4.*start anew"):
        await run(world)
    assert (await world.read_counts()).messages == before.messages


async def test_a_source_topic_that_was_made_anew_is_an_error(world: World) -> None:
    await make_anew(world, "requests", 4)
    with pytest.raises(StreamError, match=r"up to offset 100.*ends at 0.*made anew.*start anew"):
        await run(world)
