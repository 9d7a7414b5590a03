"""The combiner against each broker: what is on `counts` in the end is exact."""

import asyncio

import pytest

from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range, Tally
from servicelevel.domain.partitioning import counts_partition
from servicelevel.errors import DependencyError, TopicsError
from servicelevel.settings import Settings
from tests.conftest import Broker
from tests.contract.counting import START_MS, Counts, World, event, expected, world_of
from tests.services.process import wait_until_async


@pytest.fixture
async def world(broker: Broker, topic_prefix: str) -> World:
    return await world_of(broker.address, topic_prefix, idle_timeout_ms=1_000)


async def test_counts_every_event_once(world: World) -> None:
    await world.produce(event(n) for n in range(2_000))
    async with world.running("a") as combiner:
        await world.until_counted()
        await world.produce(event(n) for n in range(2_000, 3_000))
        await world.until_counted()
    counts = await world.read_counts()
    assert counts.sums == expected(world.events)
    assert counts.ignored == 0
    for partition in range(4):
        assert counts.tally(partition) == Tally(3_000, 3_000, 0, 0)
    assert (combiner.vitals.read, combiner.vitals.rejected) == (3_000, 0)


async def test_goes_on_after_a_restart(world: World) -> None:
    for number in range(3):
        await world.produce(event(n) for n in range(number * 700, (number + 1) * 700))
        async with world.running(f"owner-{number}") as combiner:
            counts = await world.until_counted()
        assert combiner.vitals.read == 700
    assert counts.ignored == 0


async def test_two_share_the_sources_and_hand_over(world: World) -> None:
    async with world.running("a") as a:
        await world.produce(event(n) for n in range(1_000))
        await world.until_counted()
        async with world.running("b") as b:
            await world.produce(event(n) for n in range(1_000, 2_000))
            await wait_until_async(lambda: b.vitals.flushes > 0, 30, what="b at work")
            await world.produce(event(n) for n in range(2_000, 3_000))
            await world.until_counted()
        await world.produce(event(n) for n in range(3_000, 4_000))
        await world.until_counted()
    assert b.vitals.read > 0
    assert a.vitals.read + b.vitals.read >= 4_000


async def test_nothing_of_a_stalled_former_owner_is_accepted(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a"):
        counts = await world.until_counted()
    state = counts.states("requests/0")[0]
    assert state is not None
    await world.produce(event(n) for n in range(400, 800))
    async with world.running("b"):
        await world.until_counted()
        now = (await world.read_counts()).states("requests/0")[0]
        assert now is not None
        assert now.epoch > state.epoch
        stale = Range(
            "requests/0", state.epoch, now.applied, now.applied + 9, START_MS + 99, False,
            Tally(9, 9), (Cell("i-cart", "", START_MS, 9, 9),),
        )  # fmt: skip
        await world.write_counts(0, CountsMessage(0, ranges=(stale,)))
        await world.produce(event(n) for n in range(800, 1_200))
        counts = await world.until_counted()
    assert counts.ignored == 1


async def test_claims_again_when_another_claimed(world: World) -> None:
    await world.produce(event(n) for n in range(400))
    async with world.running("a") as combiner:
        counts = await world.until_counted()
        state = counts.states("requests/0")[0]
        assert state is not None
        intruder = Claim("requests/0", state.epoch + 5, "intruder", 0, {"requests": 4})
        await world.write_counts(1, CountsMessage(0, claims=(intruder,)))
        await wait_until_async(lambda: combiner.vitals.rejected > 0, 30, what="the loss seen")
        await world.produce(event(n) for n in range(400, 800))
        counts = await world.until_counted()
        assert {s.epoch for s in counts.states("requests/0") if s} == {state.epoch + 6}


async def test_resumes_where_each_counts_partition_is(world: World) -> None:
    """A former owner crashed when it had reached some counts partitions only."""
    events = [event(5 * n) for n in range(100)]  # all of cart
    home = counts_partition("cart", 4)
    await world.produce(events, partitions=1)
    for partition in range(4):
        claim = Claim("requests/0", 0, "crashed", 0, {"requests": 4})
        await world.write_counts(partition, CountsMessage(0, claims=(claim,)))
    cells = tuple(
        Cell(key[0], key[1], key[2], good, total)
        for key, (good, total) in expected(events[:40]).items()
    )
    done = Range("requests/0", 0, 0, 40, events[39]["time"], False, Tally(40, 40), cells)
    await world.write_counts(home, CountsMessage(0, ranges=(done,)))
    async with world.running("b"):
        await world.until_counted()
        counts = await world.until_read(100)
    states = [state for state in counts.states("requests/0") if state is not None]
    assert [(each.applied, each.tally) for each in states] == [(100, Tally(100, 100))] * 4


async def test_empty_topics_are_idle(world: World) -> None:
    sources = [f"requests/{n}" for n in range(4)]

    def all_idle(counts: Counts) -> bool:
        world.clock.now_ms += 1_000
        return len(counts.ledgers) == 4 and counts.all_idle(sources)

    async with world.running("a"):
        counts = await world.until(all_idle)
    assert all(ledger.watermark_ms(0) is None for ledger in counts.ledgers.values())


async def test_time_goes_on_without_events(world: World) -> None:
    """The watermark passes the last event by the wall time since it came, in every partition."""
    await world.produce(event(n) for n in range(100))
    async with world.running("a"):
        await world.until_counted()
        world.clock.now_ms += 60_000
        last = START_MS + 99
        await world.until(
            lambda c: all(
                (ledger.watermark_ms(0) or 0) >= last + 59_000 for ledger in c.ledgers.values()
            )
        )
        await world.produce([event(100, time_ms=START_MS + 100)])
        await world.until_counted()
    assert world.writer.count("late") == 1
    counts = await world.read_counts()
    assert counts.tally() == Tally(101, 100, 1, 0)


async def test_what_cannot_be_read_is_a_dead_letter(world: World) -> None:
    await world.produce([event(1)], partitions=1)
    await world.write("requests", [(0, b"no json"), (1, b"{}")])
    async with world.running("a") as combiner:
        await world.until_read(3)
    assert world.writer.count("dead-letter") == 2
    assert combiner.vitals.dead == 2


async def test_too_large_messages_are_made_smaller(world: World) -> None:
    """Each event has a pane of its own, so that a range of them is larger than a message."""
    await world.produce(event(n, time_ms=START_MS + n * 10_000) for n in range(300))
    async with world.running("a", max_message_bytes=700):
        await world.until_counted()
    counts = await world.read_counts()
    assert counts.tally() == Tally(300, 300, 0, 0)
    assert counts.largest_bytes <= 700


async def test_a_missing_topic_is_named_with_what_to_do(world: World) -> None:
    settings = world.settings.model_copy(update={"request_topics": ("requests", "clicks")})
    with pytest.raises(TopicsError, match=r"clicks.*servicelevel topics create"):
        await World(settings).combiner("a").run(asyncio.Event())


async def test_another_number_of_counts_partitions_is_refused(world: World) -> None:
    settings = world.settings.model_copy(update={"counts_partitions": 3})
    with pytest.raises(TopicsError, match="SERVICELEVEL_COUNTS_PARTITIONS=4"):
        await World(settings).combiner("a").run(asyncio.Event())


async def test_brokers_that_are_not_there_are_named() -> None:
    world = World(Settings(brokers="127.0.0.1:1"))
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1 .*SERVICELEVEL_BROKERS"):
        await world.combiner("a").run(asyncio.Event())
