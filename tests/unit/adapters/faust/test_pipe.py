"""How much is under way to Kafka, by steps and by size."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from servicelevel.adapters.faust.pipe import Pipe, Step
from servicelevel.adapters.faust.state import Record
from servicelevel.domain.outputs import Output
from tests.builders.outputs import status

SIZE = 1_000


class Kafka:
    """Takes changes and outputs when it is let."""

    def __init__(self) -> None:
        self.takes_changes, self.takes_outputs = asyncio.Event(), asyncio.Event()

    async def claim(self, partition: int, record: Record) -> None: ...

    async def write(self, partition: int, records: Sequence[Record]) -> None:  # noqa: ARG002
        await self.takes_changes.wait()

    async def send_all(self, outputs: Sequence[Output]) -> None:  # noqa: ARG002
        await self.takes_outputs.wait()


def fail(error: Exception) -> None:
    raise error


@pytest.fixture
async def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
async def pipe(kafka: Kafka) -> AsyncIterator[Pipe]:
    made = Pipe(0, kafka, kafka, fail, limit=8, max_bytes=3 * SIZE)
    yield made
    await made.close()


async def push(pipe: Pipe, size: int, outputs: int = 0) -> None:
    await pipe.room()
    records = [(b"k", b"x" * (size - 1))] if size else []
    pipe.push(Step(records, [status()] * outputs, lambda: None, lambda: None))


async def test_large_changes_wait_until_kafka_takes_those_before(kafka: Kafka, pipe: Pipe) -> None:
    for _ in range(3):
        await push(pipe, SIZE)
    assert pipe.is_full
    fourth = asyncio.create_task(push(pipe, SIZE))
    await asyncio.sleep(0)
    assert not fourth.done()
    kafka.takes_changes.set()
    await fourth
    await pipe.drained()
    assert not pipe.is_full


async def test_outputs_that_are_not_taken_count_too(kafka: Kafka, pipe: Pipe) -> None:
    kafka.takes_changes.set()
    await push(pipe, 0, outputs=10)
    assert pipe.is_full
    kafka.takes_outputs.set()
    await pipe.room()
    pipe.give_back()
    assert not pipe.is_full


async def test_one_step_goes_through_however_large(kafka: Kafka, pipe: Pipe) -> None:
    kafka.takes_changes.set()
    for _ in range(3):
        await push(pipe, 100 * SIZE)
    await pipe.drained()
    assert not pipe.is_full


async def test_small_steps_are_limited_by_number(pipe: Pipe) -> None:
    for _ in range(8):
        await push(pipe, 10)
    assert pipe.is_full
