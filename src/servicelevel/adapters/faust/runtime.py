"""Ties an `EvaluatorHost` to the life of a Faust app and its assignments."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, cast

import faust
from faust.types import TP
from faust.types.tables import TableT

from servicelevel.adapters.faust.changelog import MAX_BATCH_BYTES, KafkaChangelog
from servicelevel.adapters.faust.host import CountsLog, Decode, EvaluatorFactory, EvaluatorHost
from servicelevel.adapters.faust.pipe import OutputWriter
from servicelevel.adapters.faust.state import FaustState
from servicelevel.adapters.faust.store import Store
from servicelevel.adapters.kafka.connection import start_producer
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.settings import Settings


class Runtime:
    """Starts the host with the first assignment, stops it before the app shuts down.

    All views of the table are forgotten whenever partitions are revoked or assigned.
    """

    def __init__(
        self,
        settings: Settings,
        app: faust.App,
        table: TableT[bytes, bytes],
        log: CountsLog,
        evaluators: EvaluatorFactory,
        decode: Decode,
        outputs: AbstractAsyncContextManager[OutputWriter],
        vitals: EvaluatorVitals,
    ) -> None:
        self._settings = settings
        self._counts = settings.topic("counts")
        self._app = app
        self._table = table
        self._log = log
        self._evaluators = evaluators
        self._decode = decode
        self._outputs = outputs
        self._vitals = vitals
        self._drain_timeout_s = settings.session_timeout_ms / 2_000
        self._resources = AsyncExitStack()
        self._host: EvaluatorHost | None = None
        self._started = asyncio.Event()
        self._is_shut_down = False
        self._changing = asyncio.Lock()  # a start is over before what it opened is closed
        app.on_partitions_assigned.connect(self._on_assigned)
        app.on_partitions_revoked.connect(self._on_revoked)
        app.on_before_shutdown.connect(self._on_shutdown)

    async def handle(
        self, partition: int, offset: int, value: bytes, acknowledge: Callable[[], object]
    ) -> None:
        """As `EvaluatorHost.handle`; waits for the first assignment."""
        await self._started.wait()
        if self._host is not None:
            await self._host.handle(partition, offset, value, acknowledge)

    async def _on_assigned(self, _: Any, /, *arguments: Any, **__: Any) -> None:
        assigned: set[TP] = arguments[0]
        async with self._changing:
            if self._is_shut_down:  # a rebalance that began before may end after
                return
            if self._host is None:
                self._host = await self._start()
                self._app.add_future(self._watch(self._host))
            self._host.resume(tp.partition for tp in assigned if tp.topic == self._counts)
        self._started.set()

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        if self._host is not None:
            await self._host.release(self._drain_timeout_s)

    async def _on_shutdown(self, *_: Any, **__: Any) -> None:
        self._is_shut_down = True
        async with self._changing:
            host, self._host = self._host, None
            try:
                if host is not None:
                    await host.close(self._drain_timeout_s)
            finally:
                await self._resources.aclose()

    async def _start(self) -> EvaluatorHost:
        store = cast(Store, self._table.data)  # as the app's setting says
        outputs = await self._resources.enter_async_context(self._outputs)
        producer = await start_producer(self._settings, "changelog", max_batch_size=MAX_BATCH_BYTES)
        self._resources.push_async_callback(producer.stop)
        topic = self._table.changelog_topic.get_topic_name()
        return EvaluatorHost(
            evaluators=self._evaluators,
            open_state=lambda partition: FaustState(
                partition, store.entries.partition(partition), secrets.token_hex(4)
            ),
            decode=self._decode,
            log=self._log,
            changelog=KafkaChangelog(producer, topic, store.stored),
            outputs=outputs,
            vitals=self._vitals,
        )

    async def _watch(self, host: EvaluatorHost) -> None:
        raise await host.failure()
