"""Several workers on Apache Kafka, supervised or not: one that dies or stalls costs nothing."""

import json
import os
import signal
import time
from collections import defaultdict
from pathlib import Path

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.e2e.shop_load import DEFINITIONS, Load
from tests.e2e.system import System
from tests.e2e.topics import end_of, panes, produce
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, wait_until, wait_until_async

EVENTS = 100_000
DONE_S = 150
STOP_S = 30
SESSION_S = 6.0


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    made = System(kafka.address, topic_prefix, tmp_path, DEFINITIONS)
    made.call("topics", "create")
    return made


async def load_into(system: System, load: Load, part: slice = slice(None)) -> int:
    """Write a part of a load's records."""
    return await produce(system.broker, system.prefix + "requests", list(load.records())[part])


async def check_counts(system: System, load: Load) -> None:
    """What is stored and told is what was made, once."""
    names = {
        objective.indicator.id: (slo.name, objective.name)
        for slo in load_definitions([system.definitions]).catalogue.slos.values()
        for objective in slo.objectives
    }
    stored: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for indicator, _, good, total in panes(await system.entries()):
        stored[names[indicator]][0] += good
        stored[names[indicator]][1] += total
    assert {key: tuple(sums) for key, sums in stored.items()} == load.totals()
    for sources in await system.tallies():
        read, counted, late, dead = (sum(column) for column in zip(*sources.values(), strict=True))
        assert (read, late, dead) == (load.events, 0, load.dead)
        assert counted + late + dead == read
    contents: dict[str, set[str]] = defaultdict(set)
    for event in await system.told("warnings", "breaches", "dead-letter", "late"):
        contents[event["id"]].add(json.dumps(event, sort_keys=True))
    assert contents
    assert [i for i, versions in contents.items() if len(versions) > 1] == []


def children(parent: int) -> set[int]:
    """The process ids of a process's children."""
    found: set[int] = set()
    for task in Path(f"/proc/{parent}/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until_judged(system: System, load: Load, worker: ManagedProcess) -> None:
    last = max(end for _, _, end in load.panes)

    async def judged() -> bool:
        assert worker.poll() is None, worker.tail()
        return await system.judged(load.events, last)

    await wait_until_async(judged, DONE_S, what="all judged", interval=0.5)


async def test_two_supervised_workers_count_exactly_though_one_is_killed(system: System) -> None:
    load = Load(31, EVENTS)
    half = EVENTS // 2
    assert await load_into(system, load, slice(half)) == half
    counts = system.prefix + "counts"
    with system.worker(0, "--workers", "2") as parent:
        parent.until(lambda: len(children(parent.pid)) == 2, DONE_S, what="two workers")
        before = children(parent.pid)

        async def counted() -> bool:
            return await end_of(system.broker, counts) > 8

        await wait_until_async(counted, DONE_S, what="some counts")
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        parent.until(
            lambda: len(children(parent.pid) - before) == 1, DONE_S, what="a worker in its place"
        )
        assert children(parent.pid) >= before - {killed}
        load = Load(31, EVENTS)
        assert await load_into(system, load, slice(half, None)) == EVENTS - half
        await until_judged(system, load, parent)

        workers = children(parent.pid)
        assert len(workers) == 2
        asked = time.monotonic()
        os.kill(parent.pid, signal.SIGTERM)
        assert parent.wait(STOP_S) == 0, parent.tail()
        assert time.monotonic() - asked < STOP_S
        assert [pid for pid in workers if is_alive(pid)] == []
    await check_counts(system, load)


async def test_a_worker_stalled_beyond_its_session_does_no_harm(system: System) -> None:
    """It goes on writing as if it still owned its partitions, until it hears otherwise."""
    records = list(Load(32, EVENTS).records())
    load = Load(32, EVENTS)
    assert sum(1 for _ in load.records()) == EVENTS
    requests = system.prefix + "requests"
    half = EVENTS // 2
    with system.worker(0, "--workers", "2") as parent:
        parent.until(lambda: len(children(parent.pid)) == 2, DONE_S, what="two workers")
        stalled_worker = min(children(parent.pid))
        assert await produce(system.broker, requests, records[:half]) == half
        await wait_until_async(
            lambda: read_at_least(system, half // 2), DONE_S, what="half of a half counted"
        )
        os.kill(stalled_worker, signal.SIGSTOP)
        stalled = time.monotonic()
        try:
            assert await produce(system.broker, requests, records[half:]) == EVENTS - half
            await until_judged(system, load, parent)
            wait_until(
                lambda: time.monotonic() - stalled > 2 * SESSION_S, DONE_S, what="its session's end"
            )
        finally:
            os.kill(stalled_worker, signal.SIGCONT)
        offset = parent.log.stat().st_size
        parent.until(lambda: back(parent, offset), DONE_S, what="a new share of the work")
        await until_judged(system, load, parent)
        os.kill(parent.pid, signal.SIGTERM)
        assert parent.wait(STOP_S) == 0, parent.tail()
    await check_counts(system, load)


async def read_at_least(system: System, count: int) -> bool:
    tallies = await system.tallies()
    return len(tallies) == 4 and all(
        sum(tally[0] for tally in sources.values()) >= count for sources in tallies
    )


def back(worker: ManagedProcess, offset: int) -> bool:
    """Whether partitions were claimed anew, by what was logged since the stalled one went on."""
    with worker.log.open("rb") as log:
        log.seek(offset)
        return b"counting requests/" in log.read()


async def test_supervised_workers_with_wrong_settings_end_with_an_error(system: System) -> None:
    """Each worker fails the same way: given up at once, and nothing is left."""
    system.definitions.write_text("kind: nonsense\n")
    with system.worker(0, "--workers", "2") as parent:
        assert parent.wait(DONE_S) not in (0, None), parent.tail()
        assert "definitions" in parent.output()
