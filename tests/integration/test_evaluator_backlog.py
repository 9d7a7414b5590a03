"""An evaluator whose outputs Kafka does not take reads no further than its buffers hold."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from faust.types import TP

from servicelevel.adapters.faust.app import BUFFERED, build_app
from servicelevel.adapters.faust.run import run_evaluator
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.domain.counts import Cell, CountsMessage, Range
from servicelevel.domain.outputs import Output
from servicelevel.schemas.counts import decode_counts, encode_counts
from servicelevel.settings import Settings
from tests.conftest import Broker
from tests.faust_sums.evaluator import SumEvaluator
from tests.services.process import wait_until_async

MESSAGES = 1_000
STEPS = 256  # decided, and not told
WITHIN_S = 60


class Stalled:
    """Takes outputs only when it is let."""

    def __init__(self) -> None:
        self.takes = asyncio.Event()

    async def send_all(self, outputs: Sequence[Output]) -> None:  # noqa: ARG002
        await self.takes.wait()


async def produce(settings: Settings) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        for number in range(MESSAGES):
            cells = (Cell("i", "", 10_000, 0, 1),)
            range_ = Range("requests/0", 1, number, number + 1, None, cells=cells)
            value = encode_counts(CountsMessage(0, ranges=(range_,)))
            await producer.send(settings.topic("counts"), value, partition=0)


async def test_a_backlog_waits_in_kafka_while_outputs_are_not_taken(
    broker: Broker, topic_prefix: str
) -> None:
    settings = Settings(
        brokers=broker.address,
        topic_prefix=topic_prefix,
        group=f"{topic_prefix}g",
        partitions=1,
        counts_partitions=1,
        session_timeout_ms=6_000,
    )
    await create_topics({"bootstrap_servers": settings.brokers}, topic_specs(settings), 1)
    await produce(settings)
    outputs, vitals, stop = Stalled(), EvaluatorVitals(), asyncio.Event()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Stalled]:
        yield outputs

    app = build_app(
        settings,
        evaluators=lambda state, _: SumEvaluator(state, frozenset(range(MESSAGES))),
        decode=decode_counts,
        outputs=opened(),
        vitals=vitals,
    )
    running = asyncio.create_task(run_evaluator(app, stop))
    try:
        await wait_until_async(lambda: vitals.applied == STEPS, WITHIN_S, what="a full pipe")
        counts = TP(settings.topic("counts"), 0)
        read = app.consumer._read_offset
        held = STEPS + BUFFERED
        await wait_until_async(lambda: (read[counts] or 0) >= held - 1, WITHIN_S, what="a buffer")
        await vitals.look()  # an answer of the broker later
        assert vitals.ends[0] > 2 * held  # some brokers name the start of the last batch
        assert vitals.applied == STEPS
        assert (read[counts] or 0) <= held + 1
        outputs.takes.set()
        await wait_until_async(lambda: vitals.applied == MESSAGES, WITHIN_S, what="all applied")
    finally:
        outputs.takes.set()
        stop.set()
        await running
