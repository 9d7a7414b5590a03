"""What every copy of statuses and alerts does, in memory or in Redis."""

from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from redis.asyncio import Redis

from servicelevel.adapters.redis.memory import MemoryStore
from servicelevel.adapters.redis.store import RedisStore
from servicelevel.application.mirror import MirrorStore, Move, StatusReader, Update
from servicelevel.domain.outputs import AlertState, Output
from servicelevel.schemas.outputs import output_key
from tests.builders.outputs import AT, event_of, status, transition

CAPACITY = 5


class Store(MirrorStore, StatusReader, Protocol):
    """Both sides of a copy."""


async def _tell(store: Store, *outputs: Output) -> None:
    """As one batch, after what the copy has."""
    start = (await store.positions()).get("s/0")
    move = Move(start, (start or 0) + len(outputs))
    updates = [Update(output_key(o).decode(), event_of(o)) for o in outputs]
    assert await store.apply({"s/0": move}, updates)


class MirrorStoreContract:
    """The suite; a subclass has the fixture `store`."""

    async def test_statuses_are_replaced_by_key_and_given_in_order(self, store: Store) -> None:
        await _tell(store, status(slo="b"), status(slo="a", good=1), status(slo="a", group="x=1"))
        await _tell(store, status(slo="a", good=2))

        found = [(e.data.slo, e.data.group, e.data.good) for e in await store.statuses()]
        assert found == [("a", "", 2), ("a", "x=1", 980), ("b", "", 980)]

    async def test_a_tombstone_takes_a_status_away(self, store: Store) -> None:
        await _tell(store, status())
        gone = Update(output_key(status()).decode(), None)
        assert await store.apply({"s/0": Move(1, 2)}, [gone])
        assert await store.statuses() == []

    async def test_an_alert_is_open_until_it_is_resolved(self, store: Store) -> None:
        await _tell(store, transition(), transition(state=AlertState.ESCALATED, at_ms=AT + 1))
        assert [e.data.state for e in await store.open_alerts()] == ["escalated"]

        await _tell(store, transition(state=AlertState.RESOLVED, at_ms=AT + 2))
        assert await store.open_alerts() == []
        assert [e.data.state for e in await store.transitions()] == [
            "resolved",
            "escalated",
            "raised",
        ]

    async def test_a_warning_and_a_breach_of_one_objective_are_two_alerts(
        self, store: Store
    ) -> None:
        await _tell(
            store, transition(), transition(kind="breach", alert_id="b1", raised_at_ms=AT - 1)
        )
        assert [e.data.kind for e in await store.open_alerts()] == ["breach", "warning"]

    async def test_early_then_on_time_is_one(self, store: Store) -> None:
        await _tell(store, transition(early=True))
        assert [e.data.early for e in await store.open_alerts()] == [True]

        await _tell(store, transition())
        assert [e.data.early for e in await store.open_alerts()] == [False]
        assert [e.data.early for e in await store.transitions()] == [False]

    async def test_an_early_one_that_comes_again_late_changes_nothing(self, store: Store) -> None:
        await _tell(store, transition(early=True), transition(), transition(early=True))
        assert [e.data.early for e in await store.open_alerts()] == [False]

    async def test_a_retracted_alert_is_not_open(self, store: Store) -> None:
        await _tell(store, transition(early=True))
        await _tell(store, transition(early=True, state=AlertState.RETRACTED, at_ms=AT + 10))
        assert await store.open_alerts() == []

    async def test_a_repeat_does_not_open_a_resolved_alert(self, store: Store) -> None:
        resolved = transition(state=AlertState.RESOLVED, at_ms=AT + 2)
        await _tell(store, transition(), resolved)
        await _tell(store, transition())
        assert await store.open_alerts() == []
        assert len(await store.transitions()) == 2

    async def test_the_newest_transitions_are_kept(self, store: Store) -> None:
        for n in range(CAPACITY + 3):
            await _tell(store, transition(alert_id=f"a{n}", at_ms=AT + n))
        kept = [e.data.alert_id for e in await store.transitions()]
        assert kept == ["a7", "a6", "a5", "a4", "a3"]
        assert [e.data.alert_id for e in await store.transitions(2)] == ["a7", "a6"]

    async def test_a_batch_that_does_not_start_there_changes_nothing(self, store: Store) -> None:
        await _tell(store, status())
        update = Update("k", event_of(status(slo="other")))

        for wrong in (Move(None, 5), Move(0, 5), Move(2, 5)):
            assert not await store.apply({"s/0": wrong}, [update])
        assert not await store.apply({"s/0": Move(1, 2), "s/1": Move(3, 4)}, [update])

        assert await store.positions() == {"s/0": 1}
        assert [e.data.slo for e in await store.statuses()] == ["checkout-availability"]

    async def test_sources_are_independent(self, store: Store) -> None:
        await _tell(store, status())
        assert await store.apply({"s/1": Move(None, 9)}, [])
        assert await store.positions() == {"s/0": 1, "s/1": 9}

    async def test_cleared_is_as_new(self, store: Store) -> None:
        await _tell(store, status(), transition())
        await store.clear()
        assert await store.positions() == {}
        assert await store.statuses() == []
        assert await store.open_alerts() == []
        assert await store.transitions() == []


class TestMemoryStore(MirrorStoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore(CAPACITY)


class TestRedisStore(MirrorStoreContract):
    @pytest.fixture
    async def store(self, redis_url: str) -> AsyncIterator[Store]:
        async with Redis.from_url(redis_url) as client:
            yield RedisStore(client, "test", CAPACITY)
