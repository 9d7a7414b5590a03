"""The copy of statuses and alerts in Redis.

Keys, under a common hash tag so that they share a slot of a cluster:
`{name}:positions`, `{name}:status`, `{name}:open` and `{name}:transitions` are hashes of events;
`{name}:order` sorts the places of the transitions by time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError, WatchError

from servicelevel.application.mirror import (
    RECENT_ALERTS,
    Changes,
    Move,
    Told,
    Update,
    changes,
    in_order,
    oldest_first,
    place,
)
from servicelevel.errors import DependencyError, SettingsError
from servicelevel.schemas.cloudevents import AlertEvent, CloudEvent, StatusEvent
from servicelevel.schemas.moments import rfc3339_moment
from servicelevel.schemas.outputs import encode, parse_status, parse_transition
from servicelevel.settings import Settings

TIMEOUT_S = 5.0


class RedisStore:
    """A `MirrorStore` and a `StatusReader`; several processes may write it at the same time."""

    def __init__(self, client: Redis, name: str, capacity: int = RECENT_ALERTS) -> None:
        self._client = client
        self._capacity = capacity
        self._positions = f"{{{name}}}:positions"
        self._status = f"{{{name}}}:status"
        self._open = f"{{{name}}}:open"
        self._transitions = f"{{{name}}}:transitions"
        self._order = f"{{{name}}}:order"

    async def positions(self) -> Mapping[str, int]:
        """Up to where each source is in the copy."""
        raw = await _reached(self._client.hgetall(self._positions))
        return {source.decode(): int(position) for source, position in raw.items()}

    async def apply(self, moves: Mapping[str, Move], updates: Sequence[Update]) -> bool:
        """Change copy and positions at once, or nothing."""
        applied: bool = await _reached(self._apply(moves, updates))
        return applied

    async def clear(self) -> None:
        """Forget everything."""
        await _reached(
            self._client.delete(
                self._positions, self._status, self._open, self._transitions, self._order
            )
        )

    async def statuses(self) -> list[StatusEvent]:
        """Of all objectives and groups."""
        raw = await _reached(self._client.hvals(self._status))
        return in_order(parse_status(value) for value in raw)

    async def open_alerts(self) -> list[AlertEvent]:
        """Of each open alert the last transition."""
        raw = await _reached(self._client.hvals(self._open))
        return oldest_first(parse_transition(value) for value in raw)

    async def transitions(self, limit: int = 50) -> list[AlertEvent]:
        """The newest first."""
        places = await _reached(self._client.zrevrange(self._order, 0, limit - 1))
        if not places:
            return []
        raw = await _reached(self._client.hmget(self._transitions, places))
        return [parse_transition(value) for value in raw if value]

    async def ping(self) -> None:
        """Raises `DependencyError` if Redis does not answer."""
        await _reached(self._client.ping())

    async def _apply(self, moves: Mapping[str, Move], updates: Sequence[Update]) -> bool:
        async with self._client.pipeline(transaction=True) as pipe:
            while True:
                await pipe.watch(self._positions, self._transitions)
                if not await self._starts_there(pipe, moves):
                    return False
                new = changes(updates, await self._told(pipe, updates))
                surplus = await self._surplus(pipe, new)
                pipe.multi()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                self._write(pipe, moves, new, surplus)
                try:
                    await pipe.execute()
                except WatchError:  # another mirror wrote: look again
                    continue
                return True

    async def _starts_there(self, pipe: Pipeline, moves: Mapping[str, Move]) -> bool:
        sources = list(moves)
        if not sources:
            return True
        stored = await _awaited(pipe.hmget(self._positions, sources))
        return all(
            (None if position is None else int(position)) == moves[source].start
            for source, position in zip(sources, stored, strict=True)
        )

    async def _told(self, pipe: Pipeline, updates: Iterable[Update]) -> dict[str, Told]:
        places = [place(u.event) for u in updates if isinstance(u.event, AlertEvent)]
        if not places:
            return {}
        stored = await _awaited(pipe.hmget(self._transitions, places))
        found = {key: orjson.loads(raw) for key, raw in zip(places, stored, strict=True) if raw}
        return {key: Told(raw["id"], raw["data"]["early"]) for key, raw in found.items()}

    async def _surplus(self, pipe: Pipeline, new: Changes) -> list[bytes]:
        """The oldest transitions that give way to the new ones."""
        if not new.transitions:
            return []
        room = self._capacity - len(new.transitions)
        count = await _awaited(pipe.zcard(self._order))
        if count <= room:
            return []
        oldest: list[bytes] = await _awaited(pipe.zrange(self._order, 0, count - room - 1))
        return [key for key in oldest if key.decode() not in new.transitions]

    def _write(
        self, pipe: Pipeline, moves: Mapping[str, Move], new: Changes, surplus: list[bytes]
    ) -> None:
        _write_hash(pipe, self._status, new.statuses)
        _write_hash(pipe, self._open, new.open_alerts)
        _write_hash(pipe, self._transitions, new.transitions)
        if new.transitions:
            pipe.zadd(
                self._order, {key: rfc3339_moment(e.time) for key, e in new.transitions.items()}
            )
        if surplus:
            pipe.zrem(self._order, *surplus)
            pipe.hdel(self._transitions, *cast(list[str], surplus))
        if moves:
            pipe.hset(self._positions, mapping={s: str(move.end) for s, move in moves.items()})


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[RedisStore]:
    """The store that the settings name. Raises `SettingsError` where they name none."""
    if settings.redis_url is None:
        raise SettingsError("no Redis is set: set SERVICELEVEL_REDIS_URL or --redis")
    client = Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )
    try:
        yield RedisStore(client, f"{settings.topic_prefix}{settings.group}")
    finally:
        await client.aclose()


def _write_hash(pipe: Pipeline, name: str, values: Mapping[str, CloudEvent | None]) -> None:
    kept = {key: encode(event) for key, event in values.items() if event is not None}
    gone = [key for key, event in values.items() if event is None]
    if kept:
        pipe.hset(name, mapping=cast(dict[Any, Any], kept))
    if gone:
        pipe.hdel(name, *gone)


async def _awaited(result: Any) -> Any:
    """redis-py types commands for both its clients; ours is the asynchronous one."""
    return await result


async def _reached(result: Any) -> Any:
    try:
        return await result
    except (RedisError, OSError, TimeoutError) as error:
        raise DependencyError(
            f"Redis does not serve ({error or type(error).__name__}): is it up, and is "
            "SERVICELEVEL_REDIS_URL right?"
        ) from error
