"""The copy in Redis follows the topics, and comes back after Redis was emptied."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from servicelevel.adapters.kafka.connection import client_options
from servicelevel.adapters.kafka.output_writer import open_writer
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.adapters.redis.mirror import run_mirror
from servicelevel.adapters.redis.store import RedisStore, open_store
from servicelevel.domain.outputs import AlertState, StatusRemoved
from servicelevel.schemas.cloudevents import AlertEvent
from servicelevel.settings import Settings
from tests.builders.outputs import AT, status, transition
from tests.conftest import Broker

WITHIN_S = 30


@pytest.fixture
async def settings(broker: Broker, redis_url: str, topic_prefix: str) -> Settings:
    made = Settings(
        brokers=broker.address,
        redis_url=redis_url,  # type: ignore[arg-type]  # pydantic makes it a secret
        topic_prefix=topic_prefix,
        group=f"{topic_prefix}g",
        counts_partitions=2,
        session_timeout_ms=3_000,
    )
    await create_topics(client_options(made, "test"), topic_specs(made), replicas=1)
    return made


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await condition():
            await asyncio.sleep(0.05)


@asynccontextmanager
async def mirror(settings: Settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.ensure_future(run_mirror(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def _slos(store: RedisStore) -> list[str]:
    return [event.data.slo for event in await store.statuses()]


async def test_it_follows_and_refills_what_was_emptied(settings: Settings) -> None:
    url = settings.redis_url
    assert url is not None
    async with (
        open_store(settings) as store,
        open_writer(settings, "test") as writer,
        Redis.from_url(url.get_secret_value()) as redis,
        mirror(settings),
    ):
        await writer.send_all([status(slo="a"), status(slo="b"), transition()])

        async def followed() -> bool:
            return await _slos(store) == ["a", "b"] and len(await store.open_alerts()) == 1

        await until(followed)
        await redis.flushall()
        await until(followed)

        await writer.send_all([transition(state=AlertState.RESOLVED, at_ms=AT + 1)])
        await until(lambda: _none(store))

        await writer.send_all([StatusRemoved("a", "main", "checkout", "", AT + 2)])
        await until(lambda: _is(store, ["b"]))
    assert [e.data.state for e in await _transitions(settings)] == ["resolved", "raised"]


async def test_a_second_mirror_goes_on_where_the_first_ended(settings: Settings) -> None:
    async with open_store(settings) as store, open_writer(settings, "test") as writer:
        async with mirror(settings):
            await writer.send_all([status(slo="a")])
            await until(lambda: _is(store, ["a"]))
        await writer.send_messages([("status", b"x", b"not an event")])  # skipped, not fatal
        await writer.send_all([status(slo="b")])
        async with mirror(settings):
            await until(lambda: _is(store, ["a", "b"]))


async def _is(store: RedisStore, slos: list[str]) -> bool:
    return await _slos(store) == slos


async def _none(store: RedisStore) -> bool:
    return await store.open_alerts() == []


async def _transitions(settings: Settings) -> list[AlertEvent]:
    async with open_store(settings) as store:
        return await store.transitions()
