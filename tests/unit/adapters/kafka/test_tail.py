import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from servicelevel.adapters.kafka.tail import CountsTail
from servicelevel.application.commits import Mark, TailStart
from servicelevel.domain.counts import Claim, CountsMessage, Range, Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.errors import GapError, StateError
from servicelevel.schemas.counts import encode_counts

P0, P1 = TopicPartition("counts", 0), TopicPartition("counts", 1)
SOURCE = "requests/0"


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Brokers:
    """Consumer and lookup in one: gives the records it is handed, from the positions sought."""

    inbox: asyncio.Queue[dict[TopicPartition, list[Record]] | Exception] = field(
        default_factory=asyncio.Queue
    )
    sought: dict[TopicPartition, int] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=lambda: {P0: 0, P1: 0})

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self.sought = dict.fromkeys(partitions, -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.sought[partition] = offset

    async def getmany(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        assert timeout_ms > 0
        found = await self.inbox.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> Mapping[object, int]:
        return {partition: self.ends[partition] for partition in partitions}

    def give(self, partition: TopicPartition, first: int, *messages: CountsMessage) -> None:
        records = [Record(first + n, encode_counts(m)) for n, m in enumerate(messages)]
        self.inbox.put_nowait({partition: records})
        self.ends[partition] = first + len(records)


def claim(epoch: int, owner: str = "me") -> CountsMessage:
    return CountsMessage(0, claims=(Claim(SOURCE, epoch, owner, 0, {"requests": 1}),))


def range_(start: int, end: int, epoch: int = 1) -> CountsMessage:
    return CountsMessage(
        0, ranges=(Range(SOURCE, epoch, start, end, 5, False, Tally(end - start)),)
    )


@asynccontextmanager
async def tailing(brokers: Brokers, *starts: TailStart) -> AsyncIterator[CountsTail]:
    tail = CountsTail(brokers, brokers, "counts", starts)
    task = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_catches_up_and_says_what_is_accepted() -> None:
    brokers = Brokers()
    async with tailing(brokers, TailStart(0), TailStart(0)) as tail:
        await tail.caught_up()  # nothing there
        brokers.give(P0, 0, claim(1), range_(0, 7), range_(3, 9))
        await tail.caught_up()
        assert brokers.sought == {P0: 0, P1: 0}
        assert not tail.accepted(SOURCE, 1, "me")  # in one partition only
        brokers.give(P1, 0, claim(1), claim(1, "late"))
        await tail.passed({1: 1})
        assert tail.accepted(SOURCE, 1, "me")
        assert not tail.accepted(SOURCE, 1, "late")
        assert {n: s.applied for n, s in tail.states(SOURCE).items() if s} == {0: 7, 1: 0}
        assert [mark.position for mark in tail.marks(SOURCE).values()] == [3, 2]


async def test_waits_for_what_is_not_there_yet() -> None:
    brokers = Brokers()
    async with tailing(brokers, TailStart(0), TailStart(0)) as tail:
        waiting = asyncio.create_task(tail.passed({0: 1}))
        brokers.give(P0, 0, claim(1))
        await tail.passed({0: 0})
        assert not waiting.done()
        brokers.give(P0, 1, claim(2))
        await waiting


async def test_what_a_mark_holds_is_not_applied_again() -> None:
    """Empty ranges are the same at any time: they show whether a message was applied twice."""
    brokers = Brokers()
    state = SourceState(1, "", 4, 5, True, Tally(4))
    start = TailStart(10, {SOURCE: Mark(12, state), "other/0": Mark(10, state)})
    async with tailing(brokers, start, TailStart(0)) as tail:
        brokers.give(P0, 10, range_(4, 9), range_(4, 8), range_(4, 6))
        await tail.passed({0: 12})
        known = tail.states(SOURCE)[0]
        assert known is not None
        assert (known.applied, known.tally) == (6, Tally(6))


@pytest.mark.parametrize(
    "broken", [lambda b: b.give(P0, 3, claim(1)), lambda b: b.inbox.put_nowait(_out_of_range())]
)
async def test_deleted_messages_are_a_gap(broken: Callable[[Brokers], None]) -> None:
    brokers = Brokers()
    broken(brokers)
    with pytest.raises(GapError, match="retention of counts"):
        await CountsTail(brokers, brokers, "counts", [TailStart(0)]).run()


def _out_of_range() -> Exception:
    return OffsetOutOfRangeError({P0: 0})


async def test_a_source_claimed_in_a_deleted_part_is_a_gap() -> None:
    brokers = Brokers()
    async with tailing(brokers, TailStart(9, truncated=True), TailStart(0)) as tail:
        assert tail.states("new/0") == {0: None, 1: None}
        brokers.give(P0, 9, range_(50, 60))
        await tail.passed({0: 9})
        with pytest.raises(GapError, match=r"requests/0.*counts partition 0"):
            tail.states(SOURCE)


async def test_a_message_of_another_version_ends_it() -> None:
    brokers = Brokers()
    brokers.inbox.put_nowait({P0: [Record(0, b'{"v":9}')]})
    with pytest.raises(StateError, match="version 9"):
        await CountsTail(brokers, brokers, "counts", [TailStart(0)]).run()
