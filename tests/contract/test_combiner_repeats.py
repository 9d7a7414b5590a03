"""Repeated events against each broker, whoever counts when they come."""

import orjson
import pytest

from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range, Tally
from servicelevel.domain.partitioning import counts_partition
from tests.conftest import Broker
from tests.contract.counting import World, event, expected, world_of

WINDOW = 50


@pytest.fixture
async def world(broker: Broker, topic_prefix: str) -> World:
    return await world_of(broker.address, topic_prefix, dedup_records=WINDOW)


async def again(world: World, *numbers: int) -> None:
    """Write events once more, each to the partition where it is."""
    await world.write("requests", [(n % 4, orjson.dumps(event(n))) for n in numbers])


async def test_repeats_are_left_out_whoever_counted_what_they_repeat(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a") as first:
        await world.until_counted()
        await again(world, *range(380, 400))
        await world.until_read(420)
    await again(world, *range(320, 400))
    await world.produce(event(n) for n in range(400, 800))
    async with world.running("b") as second:
        await world.until_counted()
        await again(world, *range(720, 800))
        counts = await world.until_read(980)
    for partition in range(4):
        assert counts.tally(partition) == Tally(980, 800, 0, 0, 180)
    assert (first.vitals.read, first.vitals.repeated) == (420, 20)
    assert (second.vitals.read, second.vitals.counted, second.vitals.repeated) == (560, 400, 160)
    assert counts.ignored == 0


async def test_what_is_farther_back_than_the_window_is_counted_again(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await again(world, 4 * 50, 4 * 50)  # one repeats what is 50 offsets before, one that itself
    await world.produce([event(4 * 50 + 4)], partitions=1)  # 51 before
    async with world.running("b"):
        await world.until_counted()
        counts = await world.until_read(403)
    assert counts.tally() == Tally(403, 401, 0, 0, 2)


async def test_ids_are_known_where_each_counts_partition_is(world: World) -> None:
    """A former owner crashed amid repeats, when it had reached some counts partitions only."""
    events = [event(5 * n) for n in range(60)]  # all of cart
    log = [*events, *events[20:]]
    home = counts_partition("cart", 4)
    await world.write("requests", [(0, orjson.dumps(each)) for each in log])
    cells = tuple(
        Cell(key[0], key[1], key[2], good, total) for key, (good, total) in expected(events).items()
    )
    time_ms = events[-1]["time"]
    claim = Claim("requests/0", 0, "crashed", 0, {"requests": 4})
    for partition in range(4):
        await world.write_counts(partition, CountsMessage(0, claims=(claim,)))
        tally, own = Tally(65, 60, 0, 0, 5), ()
        done = Range("requests/0", 0, 0, 65, time_ms, False, tally, own)
        if partition == home:
            tally = Tally(80, 60, 0, 0, 20)
            done = Range("requests/0", 0, 0, 80, time_ms, False, tally, cells)
        await world.write_counts(partition, CountsMessage(0, ranges=(done,)))
    async with world.running("b"):
        counts = await world.until_read(100)
    assert counts.sums == expected(events)
    states = [state for state in counts.states("requests/0") if state is not None]
    assert [(each.applied, each.tally) for each in states] == [(100, Tally(100, 60, 0, 0, 40))] * 4


async def test_a_source_of_repeats_is_idle_once_they_are_read(world: World) -> None:
    """The ids read again after the restart keep no time from going on."""
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        await world.until_counted()
    await again(world, *range(396, 400))
    async with world.running("b") as combiner:
        await world.until_read(404)
        world.clock.now_ms += world.settings.idle_timeout_ms
        counts = await world.until(lambda c: c.all_idle(f"requests/{n}" for n in range(4)))
    assert combiner.vitals.repeated == 4
    assert world.writer.sent == []
    assert counts.sums == expected(world.events)
