"""The mirror goes by the copy's own positions, whatever happens to the copy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from aiokafka import TopicPartition

from servicelevel.adapters.redis.memory import MemoryStore
from servicelevel.adapters.redis.mirror import Mirror
from servicelevel.application.mirror import Move, Update
from servicelevel.errors import DependencyError
from servicelevel.schemas.outputs import Message, message
from tests.builders.outputs import status, transition

STATUS = TopicPartition("status", 0)
WARNINGS = TopicPartition("warnings", 0)


class Record(NamedTuple):
    """A record as a consumer gives it."""

    offset: int
    key: bytes
    value: bytes | None


@dataclass
class FakeConsumer:
    """Reads lists of records; starts over where a position is past the end, as asked to."""

    logs: dict[TopicPartition, list[Record]]
    assigned: frozenset[TopicPartition] = frozenset({STATUS, WARNINGS})
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    first: int = 0

    def assignment(self) -> frozenset[TopicPartition]:
        return self.assigned

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def beginning_offsets(
        self, partitions: list[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(partitions, self.first)

    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        assert timeout_ms
        assert max_records
        read = {}
        for partition in self.assigned:
            log = self.logs.get(partition, [])
            position = self.positions.get(partition, self.first)
            if log and position > log[-1].offset + 1:
                position = self.first
            found = [record for record in log if record.offset >= position]
            if found:
                read[partition] = found
                self.positions[partition] = found[-1].offset + 1
        return read


@dataclass
class Failing(MemoryStore):
    """A store that is away when the test says so; `after` it has written all the same."""

    away: bool = False
    after: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    async def apply(self, moves: Mapping[str, Move], updates: Sequence[Update]) -> bool:
        if self.away and not self.after:
            raise DependencyError("away")
        done = await super().apply(moves, updates)
        if self.away:
            raise DependencyError("away")
        return done


def _log(*messages: Message, first: int = 0) -> list[Record]:
    return [Record(first + n, m.key, m.value) for n, m in enumerate(messages)]


async def _slos(store: MemoryStore) -> list[str]:
    return [event.data.slo for event in await store.statuses()]


async def test_it_copies_what_comes() -> None:
    consumer = FakeConsumer(
        {STATUS: _log(message(status())), WARNINGS: _log(message(transition()))}
    )
    store = MemoryStore()
    await Mirror(consumer, store, "status").step()

    assert await store.positions() == {"status/0": 1, "warnings/0": 1}
    assert len(await store.statuses()) == 1
    assert len(await store.open_alerts()) == 1


async def test_a_tombstone_takes_a_status_away() -> None:
    first = message(status())
    log = [*_log(first), Record(1, first.key, None)]
    store = MemoryStore()
    await Mirror(FakeConsumer({STATUS: log}), store, "status").step()
    assert await store.statuses() == []


async def test_an_emptied_copy_is_filled_again() -> None:
    consumer = FakeConsumer({STATUS: _log(message(status(slo="a")), message(status(slo="b")))})
    store = MemoryStore()
    mirror = Mirror(consumer, store, "status")
    await mirror.step()
    await store.clear()

    await mirror.step()  # nothing comes: it sees that the positions are gone
    await mirror.step()

    assert await _slos(store) == ["a", "b"]


async def test_an_emptied_copy_is_not_written_in_part() -> None:
    log = _log(message(status(slo="a")))
    consumer = FakeConsumer({STATUS: log})
    store = MemoryStore()
    mirror = Mirror(consumer, store, "status")
    await mirror.step()
    await store.clear()
    log.extend(_log(message(status(slo="b")), first=1))

    await mirror.step()
    assert await _slos(store) == []
    await mirror.step()
    assert await _slos(store) == ["a", "b"]


@pytest.mark.parametrize("after", [False, True])
async def test_a_copy_out_of_reach_is_written_once_it_is_back(after: bool) -> None:
    consumer = FakeConsumer({STATUS: _log(message(status()))})
    store = Failing(away=True, after=after)
    mirror = Mirror(consumer, store, "status")
    with pytest.raises(DependencyError):
        await mirror.step()

    store.away = False
    await mirror.step()

    assert await store.positions() == {"status/0": 1}
    assert len(await store.statuses()) == 1


async def test_a_copy_that_another_mirror_moved_on_is_left_to_it() -> None:
    consumer = FakeConsumer({STATUS: _log(message(status(slo="a")), message(status(slo="b")))})
    store = MemoryStore()
    await store.apply({"status/0": Move(None, 1)}, [])
    await Mirror(consumer, store, "status").step()
    assert await _slos(store) == ["b"]


async def test_topics_made_anew_start_the_copy_over() -> None:
    store = MemoryStore()
    await store.apply({"status/0": Move(None, 50)}, [Update("old", None), Update("k", None)])
    consumer = FakeConsumer({STATUS: _log(message(status(slo="new")))})
    mirror = Mirror(consumer, store, "status")

    await mirror.step()
    assert await store.positions() == {}
    await mirror.step()

    assert await _slos(store) == ["new"]
    assert await store.positions() == {"status/0": 1}


async def test_a_partition_that_is_given_away_is_not_written_again() -> None:
    consumer = FakeConsumer({STATUS: _log(message(status()))})
    store = MemoryStore()
    mirror = Mirror(consumer, store, "status")
    await mirror.step()
    consumer.assigned = frozenset({WARNINGS})
    await store.apply({"status/0": Move(1, 9)}, [])

    await mirror.step()
    assert await store.positions() == {"status/0": 9}


async def test_what_is_not_ours_is_passed_over() -> None:
    log = [Record(0, b"k", b"no event"), *_log(message(status()), first=1)]
    store = MemoryStore()
    await Mirror(FakeConsumer({STATUS: log}), store, "status").step()
    assert len(await store.statuses()) == 1
    assert await store.positions() == {"status/0": 2}


async def test_a_log_that_begins_later_is_read_from_there() -> None:
    consumer = FakeConsumer({STATUS: _log(message(status()), first=40)}, first=40)
    store = MemoryStore()
    await Mirror(consumer, store, "status").step()
    assert await store.positions() == {"status/0": 41}
