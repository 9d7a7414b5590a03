"""What the combiner does when a broker has deleted a part of its topics.

Apache Kafka only: the embedded broker keeps no metadata of commits and deletes no records.
"""

import asyncio
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from servicelevel.domain.counts import Tally
from servicelevel.errors import GapError
from tests.contract.counting import World, event, world_of
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, wait_until_async

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
async def world(kafka: KafkaBroker, topic_prefix: str) -> World:
    return await world_of(kafka.address, topic_prefix)


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
    with pytest.raises(GapError, match=r"requests/2.*100.*is 150.*retention\.ms.*ON_GAP=continue"):
        await asyncio.wait_for(world.combiner("b").run(asyncio.Event()), 60)


async def test_deleted_records_are_told_and_gone_without_where_the_settings_say_so(
    world: World,
) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await world.produce(later := [event(n) for n in range(400, 800)])
    await delete(world, "requests", {2: 150})
    lost = [each for n, each in enumerate(later) if n % 4 == 2][:50]
    world.settings = world.settings.model_copy(update={"on_gap": "continue"})
    world.events = [each for each in world.events if each not in lost]
    async with world.running("b"):
        await world.until_counted()
        await world.produce(event(n) for n in range(800, 1_200))
        await world.until_counted()
    counts = await world.read_counts()
    (letter,) = world.letters()
    assert letter["id"] == "dead-letter/requests/2/100-149"
    data = letter["data"]
    assert (data["reason"], data["offset"], data["last_offset"]) == ("gap", 100, 149)
    for partition in range(4):
        assert counts.tally(partition) == Tally(1_151, 1_150, 0, 1)
        assert counts.ignored == 0
    async with world.running("c") as combiner:  # knows that it is past the gap
        await world.produce(event(n) for n in range(1_200, 1_600))
        await world.until_counted()
    assert combiner.vitals.dead == 0
    assert len(world.letters()) == 1


async def test_deleted_records_of_which_only_the_ids_were_wanted_are_no_gap(world: World) -> None:
    """Those that are left are known by their ids."""
    world.settings = world.settings.model_copy(update={"dedup_records": 90})
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await delete(world, "requests", {2: 60})
    known, unknown = event(4 * 70 + 2), event(4 * 50 + 2)
    await world.write("requests", [(2, orjson.dumps(known))])
    await world.write("requests", [(2, orjson.dumps(unknown))])
    world.events.append(unknown)  # it counts again
    async with world.running("b"):
        await world.until_counted()
        counts = await world.until_read(402)
    assert counts.tally() == Tally(402, 401, 0, 0, 1)


async def test_records_that_are_deleted_while_a_combiner_reads_are_told(
    world: World, tmp_path: Path
) -> None:
    """It stands still, as on a machine that sleeps, until they are gone."""
    await world.produce(event(n) for n in range(400))
    arguments = [world.settings.brokers, world.settings.topic_prefix, "stalled", "continue"]
    argv = [sys.executable, "-m", "tests.integration.combiner_worker", *arguments]
    with ManagedProcess(argv, log=tmp_path / "worker.log", cwd=REPOSITORY) as worker:
        await world.until_counted()
        worker.send_signal(signal.SIGSTOP)
        try:
            await world.produce(event(n) for n in range(400, 4_400))
            await delete(world, "requests", {2: 1_000})
        finally:
            worker.send_signal(signal.SIGCONT)
        counts = await world.until(
            lambda found: [s and s.applied for s in found.states("requests/2")] == [1_100] * 4
        )
        assert worker.stop(30) == 0, worker.tail()
    state = counts.states("requests/2")[0]
    assert state is not None
    assert state.tally.dead == 1
    (told,) = re.findall(r"deleted offsets (\d+) to 999 before", worker.output())
    assert state.tally == Tally(1_101 - (1_000 - int(told)), 1_100 - (1_000 - int(told)), 0, 1)


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
