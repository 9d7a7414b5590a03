"""Events that a producer wrote again are left out, also by the worker after one that was killed."""

import random
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.e2e.shop_load import DEFINITIONS, Load
from tests.e2e.system import System
from tests.e2e.topics import end_of, panes, produce
from tests.services.kafka import KafkaBroker
from tests.services.process import wait_until_async

EVENTS = 300_000
WINDOW = 1_000
DONE_S = 180


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    settings = {"SERVICELEVEL_DEDUP_RECORDS": str(WINDOW)}
    made = System(kafka.address, topic_prefix, tmp_path, DEFINITIONS, settings)
    made.call("topics", "create")
    return made


def with_repeats(load: Load) -> Iterator[tuple[int, bytes]]:
    """Every fourth record or so is followed by one of the thousand before it in its partition."""
    rng = random.Random(load.seed)
    before = [deque[bytes](maxlen=WINDOW) for _ in range(load.partitions)]
    for partition, value in load.records():
        yield partition, value
        before[partition].append(value)
        if rng.random() < 0.25:
            again = rng.choice(before[partition])
            yield partition, again
            before[partition].append(again)


def is_event(value: bytes) -> bool:
    return value.endswith(b"}")


async def test_repeats_are_left_out_by_workers_that_are_killed(system: System) -> None:
    load = Load(3, EVENTS, broken=1_009)
    records = list(with_repeats(load))
    dead = sum(not is_event(value) for _, value in records)
    repeated = len(records) - EVENTS - (dead - load.dead)
    assert await produce(system.broker, system.prefix + "requests", records) == len(records)
    counts, written = system.prefix + "counts", 0
    # The first is killed amid counting, the others as they have claimed, and read ids again.
    for number, more in enumerate((4, 0, 0)):
        with system.worker(number) as worker:

            async def counted(enough: int = written + more) -> bool:
                return await end_of(system.broker, counts) > enough

            await wait_until_async(counted, DONE_S, what="some counts", interval=0.05)
            worker.kill()
        written = await end_of(system.broker, counts)
    killed_early = not await system.read_everything(len(records))
    last_ms = max(end for _, _, end in load.panes)
    with system.worker(3) as worker:
        await wait_until_async(
            lambda: system.judged(len(records), last_ms), DONE_S, what="all judged", interval=1
        )
        assert worker.stop(30) == 0, worker.tail()
    assert killed_early, "the last kill came after the end: nothing was tested"

    for sources in await system.tallies():
        columns = [sum(column) for column in zip(*sources.values(), strict=True)]
        assert columns == [len(records), EVENTS - load.dead, 0, dead, repeated]
    names = {
        objective.indicator.id: (slo.name, objective.name)
        for slo in load_definitions([system.definitions]).catalogue.slos.values()
        for objective in slo.objectives
    }
    good, total = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for indicator, _, some, all_ in panes(await system.entries()):
        good[names[indicator]] += some
        total[names[indicator]] += all_
    assert {key: (good[key], total[key]) for key in total} == load.totals()
    assert len({orjson.loads(value)["id"] for _, value in records if is_event(value)}) == (
        EVENTS - load.dead
    )
