"""The evaluator as a Faust app: an agent on `counts` and one plain table."""

import asyncio
import tempfile
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import faust
from faust.types import TP
from mode import CrashingSupervisor

from servicelevel.adapters.faust.connection import (
    broker_credentials,
    broker_url,
)
from servicelevel.adapters.faust.host import Decode, EvaluatorFactory
from servicelevel.adapters.faust.pipe import OutputWriter
from servicelevel.adapters.faust.runtime import Runtime
from servicelevel.adapters.faust.transport import use_own_transport
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.settings import Settings

TABLE = "state"
COMMIT_INTERVAL_S = 2.0
PROBE_TIMEOUT_S = 5.0
MAX_POLL_RECORDS = 5_000
"""So many that all partitions are drained together: a fetch for some of them holds the others up
to 1.5 s."""

BUFFERED = 16
"""Messages between Faust's consumer and the evaluator; each may have 900 kB."""


def application_id(settings: Settings) -> str:
    """The consumer group of the evaluators."""
    return f"{settings.group}-evaluator"


def changelog_topic(settings: Settings) -> str:
    """The table's changelog topic; it has as many partitions as `counts`, and is compacted."""
    return f"{application_id(settings)}-{TABLE}-changelog"


def build_app(
    settings: Settings,
    *,
    evaluators: EvaluatorFactory,
    decode: Decode,
    outputs: AbstractAsyncContextManager[OutputWriter],
    vitals: EvaluatorVitals | None = None,
    web: bool = False,
) -> faust.App:
    """A Faust app that is not started; `run_evaluator` or the `faust` command runs it.

    Its topics must be there. `outputs` is entered before the first message and left after the
    last.
    """
    app = _new_app(settings, web=web)
    use_own_transport(app)
    counts = app.topic(settings.topic("counts"), key_type=bytes, value_type=bytes)
    table = app.Table(
        TABLE, key_type=bytes, value_type=bytes, partitions=settings.counts_partitions
    )
    log = _Log(app, settings.topic("counts"))
    vitals = EvaluatorVitals() if vitals is None else vitals
    vitals.probe = log.progress
    runtime = Runtime(settings, app, table, log, evaluators, decode, outputs, vitals)

    @app.agent(counts, name="counts", concurrency=1, supervisor_strategy=CrashingSupervisor)
    async def evaluate(stream: Any) -> None:
        # acknowledged by hand, as Faust acknowledges even what failed
        async for event in stream.noack().events():
            message = event.message
            await runtime.handle(message.partition, message.offset, message.value, event.ack)

    return app


def _new_app(settings: Settings, *, web: bool) -> faust.App:
    identity = application_id(settings)
    session_s = settings.session_timeout_ms / 1_000
    return faust.App(
        identity,
        broker=broker_url(settings),
        broker_credentials=broker_credentials(settings),
        broker_session_timeout=session_s,
        broker_heartbeat_interval=min(3.0, session_s / 3),
        broker_request_timeout=max(90.0, session_s),
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_max_poll_records=MAX_POLL_RECORDS,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
        producer_acks=-1,
        # some brokers (Tansu 0.6) name the start of the last batch as the end of a log, which
        # the store has read past
        recovery_consistency_check=False,
        store="servicelevel://",
        stream_buffer_maxsize=BUFFERED,
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        topic_partitions=settings.counts_partitions,
        web_enabled=web,
        autodiscover=False,
        datadir=Path(tempfile.gettempdir()) / f"{identity}-data",  # Faust makes it; it stays empty
    )


class _Log:
    """A `CountsLog` by way of the app's own consumer."""

    def __init__(self, app: faust.App, topic: str) -> None:
        self._app = app
        self._topic = topic

    async def earliest(self, partition: int) -> int:
        """The first offset that is still there."""
        tp = TP(self._topic, partition)
        return int((await self._app.consumer.earliest_offsets(tp))[tp])

    async def progress(self, partitions: Iterable[int]) -> tuple[dict[int, int], dict[int, int]]:
        """By partition: where it ends, and the offset to be fetched next.

        Raises TimeoutError where the brokers do not answer, or a partition has no position.
        """
        tps = [TP(self._topic, partition) for partition in partitions]
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            ends = await self._app.consumer.highwaters(*tps)
            fetched = {tp.partition: await self._app.consumer.position(tp) for tp in tps}
        return {tp.partition: ends[tp] for tp in tps}, {
            partition: at for partition, at in fetched.items() if at is not None
        }

    async def rewind(self, partition: int, offset: int) -> None:
        """Commit `offset`; without success the next process comes here again."""
        consumer = cast(Any, self._app.consumer)  # Faust's public commit goes forward only
        await consumer._commit({TP(self._topic, partition): offset})
