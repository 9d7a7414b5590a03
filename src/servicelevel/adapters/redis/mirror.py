"""Keeps the copy in step with the output topics; the copy's own positions decide where to read.

A Redis that is slow or away is tried again for as long as it takes, and nobody else notices. One
that was emptied, or put back to an older state, is filled again from where it is.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from servicelevel.adapters.kafka.connection import client_options, start, stop_client
from servicelevel.adapters.redis.store import open_store
from servicelevel.application.mirror import MIRRORED, MirrorStore, Move, Update
from servicelevel.errors import DependencyError
from servicelevel.schemas.outputs import parse_status, parse_transition
from servicelevel.settings import Settings

POLL_MS = 1_000
MAX_RECORDS = 1_000
LONGEST_WAIT_S = 5.0
SAID_EVERY = 20
log = structlog.get_logger(__name__)


class Consumer(Protocol):
    """What of aiokafka's consumer is used here."""

    def assignment(self) -> frozenset[TopicPartition]: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    async def beginning_offsets(
        self, partitions: list[TopicPartition]
    ) -> Mapping[TopicPartition, int]: ...
    async def getmany(
        self, *, timeout_ms: int, max_records: int
    ) -> Mapping[TopicPartition, Sequence[Any]]: ...


class Mirror:
    """Copies what a consumer reads; `status_topic` is the full name of `status`."""

    def __init__(self, consumer: Consumer, store: MirrorStore, status_topic: str) -> None:
        self._consumer = consumer
        self._store = store
        self._status_topic = status_topic
        self._positions: dict[TopicPartition, int | None] = {}

    def forget(self) -> None:
        """What is known of the copy's positions may be wrong: look again before the next write."""
        self._positions.clear()

    async def step(self) -> None:
        """Read once and copy what came; waits up to a second for it.

        Raises `DependencyError` if the copy cannot be reached: step again.
        """
        if set(self._positions) != self._consumer.assignment():
            await self._look_again()
        batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=MAX_RECORDS)
        records = {tp: batch for tp, batch in batches.items() if tp in self._positions and batch}
        if self._remade(records):
            log.warning("the output topics were made anew: starting the copy over")
            await self._store.clear()
            self.forget()
            return
        moves = {
            _source(tp): Move(self._positions[tp], batch[-1].offset + 1)
            for tp, batch in records.items()
        }
        try:
            applied = await self._store.apply(moves, self._updates(records)) if moves else True
        except DependencyError:
            self.forget()  # it may have been written or not
            raise
        if applied:
            self._positions.update({tp: batch[-1].offset + 1 for tp, batch in records.items()})
        if not applied or (not moves and not await self._in_step()):
            self.forget()

    async def _look_again(self) -> None:
        stored = await self._store.positions()
        assigned = self._consumer.assignment()
        positions = {tp: stored.get(_source(tp)) for tp in assigned}
        absent = [tp for tp, position in positions.items() if position is None]
        starts = await self._consumer.beginning_offsets(absent) if absent else {}
        for tp, position in positions.items():
            if tp in self._consumer.assignment():
                self._consumer.seek(tp, starts[tp] if position is None else position)
        self._positions = positions

    def _remade(self, records: Mapping[TopicPartition, Sequence[Any]]) -> bool:
        """A position behind the log's end makes the consumer start over, at lower offsets."""
        return any(batch[0].offset < (self._positions[tp] or 0) for tp, batch in records.items())

    async def _in_step(self) -> bool:
        stored = await self._store.positions()
        return all(stored.get(_source(tp)) == own for tp, own in self._positions.items())

    def _updates(self, records: Mapping[TopicPartition, Iterable[Any]]) -> list[Update]:
        updates = []
        for tp, batch in records.items():
            for record in batch:
                try:
                    updates.append(self._update(tp.topic, record))
                except (ValidationError, UnicodeDecodeError) as error:
                    log.warning(
                        "skipped a message that is none of ours",
                        record=f"{_source(tp)}/{record.offset}",
                        problem=str(error),
                    )
        return updates

    def _update(self, topic: str, record: Any) -> Update:
        key = (record.key or b"").decode()
        if topic != self._status_topic:
            return Update(key, parse_transition(record.value or b""))
        return Update(key, None if record.value is None else parse_status(record.value))


def _source(tp: TopicPartition) -> str:
    return f"{tp.topic}/{tp.partition}"


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror

    def on_partitions_revoked(self, _revoked: object) -> None:
        self._mirror.forget()

    def on_partitions_assigned(self, _assigned: object) -> None:
        self._mirror.forget()


async def run_mirror(settings: Settings, stop: asyncio.Event) -> None:
    """Copy until `stop` is set. Raises `DependencyError` if no broker answers at the start."""
    topics = [settings.topic(name) for name in MIRRORED]
    consumer = AIOKafkaConsumer(
        **client_options(settings, "mirror"),
        group_id=f"{settings.group}-mirror",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
    )
    async with open_store(settings) as store:
        mirror = Mirror(consumer, store, settings.topic("status"))
        consumer.subscribe(topics, listener=_Forget(mirror))
        await start(consumer, settings)
        try:
            await _until(stop, _keep_in_step(mirror))
        finally:
            await stop_client(consumer)


async def _keep_in_step(mirror: Mirror) -> None:
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(Exception),  # whatever it is, the others go on counting
        wait=wait_exponential(multiplier=0.1, max=LONGEST_WAIT_S),
        before_sleep=_say,
    )
    while True:
        await retrying(mirror.step)


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if state.attempt_number % SAID_EVERY == 1:
        expected = isinstance(error, DependencyError | KafkaError)
        log.warning("the mirror waits", problem=str(error), exc_info=None if expected else error)


async def _until(stop: asyncio.Event, work: Any) -> None:
    """Run `work` until `stop` is set; what it raises is raised here."""
    task = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not task.done():
            task.cancel()
        await asyncio.wait({task, stopping})
    if not task.cancelled():
        task.result()
