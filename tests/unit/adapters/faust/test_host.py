"""The host applies each message once, stores before it tells, and ends rather than guess."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from servicelevel.adapters.faust.host import EvaluatorHost
from servicelevel.adapters.faust.state import FaustState, Record
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.domain.counts import Cell, CountsMessage, Range
from servicelevel.domain.outputs import Output
from servicelevel.errors import GapError, RestartRequiredError, StateError
from tests.faust_sums.evaluator import SumEvaluator, alert


def message(_: bytes) -> CountsMessage:
    """Every message adds one to `i`."""
    return CountsMessage(0, ranges=(Range("r/0", 1, 0, 1, None, cells=(Cell("i", "", 0, 1, 1),)),))


class World:
    """All that a host needs: the table, Kafka's two sides, and what happened in order."""

    def __init__(self) -> None:
        self.table: dict[int, dict[bytes, bytes]] = {0: {}, 1: {}}
        self.kafka: list[Record] = []
        self.happened: list[Any] = []
        self.evaluators: list[SumEvaluator] = []
        self.alerts: frozenset[int] = frozenset()
        self.first = 0
        self.kafka_takes = asyncio.Event()
        self.kafka_takes.set()
        self.error: Exception | None = None
        self.kafka_takes_claims = asyncio.Event()
        self.kafka_takes_claims.set()
        self.overtaken = False
        self.incarnations = 0
        self.vitals = EvaluatorVitals()
        self.host = self.new_host()

    def new_host(self, limit: int = 256) -> EvaluatorHost:
        """A process that owns both partitions."""
        host = EvaluatorHost(
            evaluators=self.evaluator,
            open_state=self.open_state,
            decode=message,
            log=self,
            changelog=self,
            outputs=self,
            vitals=self.vitals,
            limit=limit,
        )
        host.resume({0, 1})
        return host

    def evaluator(self, state: Any, _: int) -> SumEvaluator:
        self.evaluators.append(SumEvaluator(state, self.alerts))
        return self.evaluators[-1]

    def open_state(self, partition: int) -> FaustState:
        self.incarnations += 1
        return FaustState(partition, self.table[partition], f"{self.incarnations}")

    async def earliest(self, partition: int) -> int:  # noqa: ARG002
        return self.first

    async def rewind(self, partition: int, offset: int) -> None:
        self.happened.append(("rewind", partition, offset))

    async def claim(self, partition: int, record: Record) -> None:  # noqa: ARG002
        await self.kafka_takes_claims.wait()
        if self.overtaken:
            raise RestartRequiredError("another process wrote")
        self.kafka.append(record)

    async def write(self, partition: int, records: Sequence[Record]) -> None:  # noqa: ARG002
        await self.kafka_takes.wait()
        if self.error:
            raise self.error
        self.kafka += records
        self.happened.append("stored")

    async def send_all(self, outputs: Sequence[Output]) -> None:
        self.happened.append([output.id for output in outputs if hasattr(output, "id")])

    async def feed(self, offset: int, partition: int = 0) -> None:
        await self.host.handle(
            partition, offset, b"", lambda: self.happened.append(("acknowledged", offset))
        )

    def sum(self) -> int:
        entry = self.open_state(0).get("sum/i")
        return entry.value if entry else 0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.kafka_takes.set()
    if world.error is None:
        await world.host.close(5)
    else:
        with pytest.raises(type(world.error)):
            await world.host.close(5)


async def test_stores_then_acknowledges_then_tells(world: World) -> None:
    world.alerts = frozenset({0})
    await world.feed(0)
    await world.host.release(5)
    assert world.happened[:3] == ["stored", ("acknowledged", 0), ["t0"]]
    assert world.evaluators[0].told_offsets == [0]
    assert world.kafka[-1] == (b"0/p#1", b"[0,[],1]")  # what was told is noted at the end


async def test_replayed_messages_are_acknowledged_and_not_applied(world: World) -> None:
    for offset in (0, 1, 0, 1, 2):
        await world.feed(offset)
    await world.host.release(5)
    assert world.sum() == 3
    assert [o for o in world.happened if o == ("acknowledged", 1)] == [("acknowledged", 1)] * 2


async def test_a_new_process_resumes_where_the_table_is(world: World) -> None:
    await world.feed(0)
    await world.feed(1)
    await world.host.close(5)
    world.host = world.new_host()
    for offset in (0, 1, 2):
        await world.feed(offset)
    await world.host.release(5)
    assert world.sum() == 3


async def test_what_was_not_told_is_sent_again(world: World) -> None:
    world.table[0][b"0/p#0"] = b"[4,[4]]"
    await world.feed(4)
    await world.host.release(5)
    assert [alert(4).id] in world.happened
    assert world.open_state(0).get("p") is not None
    assert world.evaluators[0].pending() == []


async def test_a_hole_rewinds_and_ends_the_process(world: World) -> None:
    await world.feed(0)
    with pytest.raises(RestartRequiredError, match="message 5 came where the table expects 1"):
        await world.feed(5)
    assert ("rewind", 0, 1) in world.happened
    assert world.sum() == 1


async def test_an_empty_table_begins_at_the_first_message_there_is(world: World) -> None:
    world.first = 7
    await world.feed(7)
    with pytest.raises(RestartRequiredError):
        await world.feed(9)
    with pytest.raises(RestartRequiredError):
        await world.feed(9, partition=1)


async def test_messages_deleted_before_they_were_read_are_an_error(world: World) -> None:
    world.table[0][b"0/p#0"] = b"[4,[]]"
    world.first = 9
    with pytest.raises(GapError, match=r"messages 5 to 8.*start anew"):
        await world.feed(9)
    assert world.kafka == []


async def test_state_that_cannot_be_used_is_left_as_it_is(world: World) -> None:
    world.table[0][b"0/p#0"] = b"[4,[]"
    with pytest.raises(StateError, match=r"0/p#0.*delete"):
        await world.feed(5)
    assert world.kafka == []


async def test_views_are_forgotten_on_release(world: World) -> None:
    await world.feed(0)
    await world.host.release(5)
    world.table[0] = {b"0/p#other": b"[9,[]]"}
    world.host.resume({0})
    await world.feed(10)
    await world.host.release(5)
    assert world.sum() == 1


async def test_a_message_of_a_lost_partition_is_left_to_others(world: World) -> None:
    await world.host.release(5)
    world.host.resume({1})
    await world.feed(0)
    assert world.happened == []
    assert world.evaluators == []


async def test_waits_while_nothing_is_assigned(world: World) -> None:
    await world.host.release(5)
    feeding = asyncio.create_task(world.feed(0))
    await asyncio.sleep(0)
    assert world.evaluators == []
    world.host.resume({0})
    await feeding
    assert len(world.evaluators) == 1


async def test_a_failed_write_ends_everything(world: World) -> None:
    world.error = RestartRequiredError("gone")
    await world.feed(0)
    assert await world.host.failure() is world.error
    with pytest.raises(RestartRequiredError, match="gone"):
        await world.feed(1)
    assert world.kafka == [(b"0/p#1", b"[-1,null,1]")]


async def test_a_slow_broker_holds_the_stream_back(world: World) -> None:
    world.host = world.new_host(limit=2)
    world.kafka_takes.clear()
    await world.feed(0)
    await world.feed(1)
    third = asyncio.create_task(world.feed(2))
    done, _ = await asyncio.wait({third}, timeout=0.05)
    assert not done
    world.kafka_takes.set()
    await third
    await world.host.release(5)
    assert world.sum() == 3


async def test_waiting_for_a_slow_broker_ends_with_its_failure(world: World) -> None:
    world.host = world.new_host(limit=1)
    world.kafka_takes.clear()
    await world.feed(0)
    second = asyncio.create_task(world.feed(1))
    await asyncio.sleep(0)
    world.error = RestartRequiredError("gone")
    world.kafka_takes.set()
    with pytest.raises(RestartRequiredError, match="gone"):
        await second


async def test_a_release_that_takes_too_long_ends_the_process(world: World) -> None:
    world.kafka_takes.clear()
    await world.feed(0)
    with pytest.raises(RestartRequiredError, match=r"within 0\.01 s"):
        await world.host.release(0.01)


async def test_what_is_written_late_is_still_written_in_order(world: World) -> None:
    await world.feed(0)
    await world.host.release(5)
    world.host.resume({0})
    await world.feed(1)
    world.kafka_takes.clear()
    await world.feed(2)
    with pytest.raises(RestartRequiredError):
        await world.host.release(0.01)
    world.host.resume({0})
    fourth = asyncio.create_task(world.feed(3))
    world.kafka_takes.set()
    await fourth
    await world.host.release(5)
    progress = [record for record in world.kafka if b"/p#" in record[0]]
    assert progress == [
        (b"0/p#1", b"[-1,null,1]"),
        (b"0/p#1", b"[0,[],1]"),
        (b"0/p#2", b"[0,[],2]"),
        (b"0/p#1", None),
        (b"0/p#2", b"[1,[],2]"),
        (b"0/p#2", b"[2,[],2]"),
        (b"0/p#3", b"[2,[],3]"),
        (b"0/p#2", None),
        (b"0/p#3", b"[3,[],3]"),
    ]


async def test_a_table_that_another_writes_to_meanwhile_is_not_used(world: World) -> None:
    world.overtaken = True
    with pytest.raises(RestartRequiredError, match="another process wrote"):
        await world.feed(0)
    assert world.kafka == []


async def test_the_claim_comes_before_all_else(world: World) -> None:
    world.kafka_takes_claims.clear()
    world.table[0] = {b"0/p#0": b"[4,[],2]", b"0/sum/i#0": b"[6,7]"}
    feeding = asyncio.create_task(world.feed(5))
    done, _ = await asyncio.wait({feeding}, timeout=0.05)
    assert not done
    assert world.kafka == []
    world.kafka_takes_claims.set()
    await feeding
    await world.host.release(5)
    assert world.kafka[0] == (b"0/p#1", b"[4,[],3]")
    assert world.kafka[1] == (b"0/sum/i#1", b"[6,7]")  # it was further: whoever wrote it may go
    assert world.sum() == 7


async def test_a_release_waits_for_the_message_in_hand(world: World) -> None:
    await world.feed(0)
    handling = asyncio.create_task(world.feed(1))
    while world.evaluators[0].ranges < 2:
        await asyncio.sleep(0)
    await world.host.release(5)
    assert handling.done()
    assert world.sum() == 2
    assert world.vitals.next_offsets == {}, "of partitions that were given back"
    assert ("acknowledged", 1) in world.happened


async def test_others_have_their_turn_while_a_message_is_handled(world: World) -> None:
    handling = asyncio.create_task(world.feed(0))
    seen = set()
    while not handling.done():
        await asyncio.sleep(0)
        seen.update(evaluator.ranges for evaluator in world.evaluators)
    assert 1 in seen


async def test_half_a_message_is_never_stored(world: World) -> None:
    await world.feed(0)
    handling = asyncio.create_task(world.feed(1))
    while world.evaluators[0].ranges < 2:
        await asyncio.sleep(0)
    handling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handling
    world.error = await world.host.failure()
    assert isinstance(world.error, RestartRequiredError)
    assert "half handled" in str(world.error)
    with pytest.raises(RestartRequiredError):
        await world.host.release(5)
    for _ in range(20):  # as long as what is under way takes to reach Kafka
        await asyncio.sleep(0)
    assert sum(key.startswith(b"0/sum/i") for key, _ in world.kafka) == 1
