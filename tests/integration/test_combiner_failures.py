"""Combiner processes that are killed, stalled and ended: every event is counted once."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.contract.counting import World, event
from tests.integration.combiner_worker import settings
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess

REPOSITORY = Path(__file__).resolve().parents[2]
PARTITIONS = 6
STEP = 1_200


class Crew:
    """Three combiners; who left is replaced."""

    def __init__(self, broker: KafkaBroker, prefix: str, folder: Path, stack: ExitStack) -> None:
        self._argv = [sys.executable, "-m", "tests.integration.combiner_worker"]
        self._argv += [broker.address, prefix]
        self._folder = folder
        self._stack = stack
        self._names = count()
        self.members = [self._start() for _ in range(3)]

    def _start(self) -> ManagedProcess:
        name = f"owner-{next(self._names)}"
        process = ManagedProcess(
            [*self._argv, name], log=self._folder / f"{name}.log", cwd=REPOSITORY
        )
        self._stack.callback(process.kill)
        process.until_output("running", 30)
        return process

    def replace(self, index: int) -> None:
        self.members[index] = self._start()


@pytest.fixture
def start_crew(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> Iterator[Callable[[], Crew]]:
    with ExitStack() as stack:
        yield lambda: Crew(kafka, topic_prefix, tmp_path, stack)


async def test_counts_are_exact_through_kills_stalls_and_ends(
    kafka: KafkaBroker, topic_prefix: str, start_crew: Callable[[], Crew]
) -> None:
    world = World(settings(kafka.address, topic_prefix))
    await world.create_topics(PARTITIONS)
    numbers = count()

    async def produce() -> None:
        batch = [event(next(numbers)) for _ in range(STEP)]
        await world.produce(batch, partitions=PARTITIONS)

    await produce()
    three = start_crew()
    await world.until_counted()
    for index, blow in enumerate((signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSTOP)):
        member = three.members[index % 3]
        await produce()
        member.send_signal(blow)
        await produce()
        await world.until_counted()  # by the others
        if blow is signal.SIGSTOP:
            await produce()
            member.send_signal(signal.SIGCONT)
            await world.until_counted()
        else:
            member.wait(30)
            three.replace(index % 3)
    await produce()
    await world.until_counted()
    for member in three.members:
        assert member.stop(30) == 0, member.tail()
    counts = await world.read_counts()
    read = len(world.events)
    assert [counts.tally(n).read for n in range(4)] == [read] * 4
