"""A million events through `servicelevel run` on Apache Kafka, with and without SIGKILL.

The oracle counts what the generator made; alerts must be those of `servicelevel replay` over the
same events.
"""

import json
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.e2e.shop_load import DEFINITIONS, Load
from tests.e2e.system import System
from tests.e2e.topics import end_of, panes, produce
from tests.services.kafka import KafkaBroker
from tests.services.process import wait_until_async

EVENTS = 1_000_000
DONE_S = 180


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    made = System(kafka.address, topic_prefix, tmp_path, DEFINITIONS)
    made.call("topics", "create")
    return made


async def load_into(system: System, seed: int, events: int = EVENTS) -> Load:
    """Write the load to Kafka and, in another order, to a file."""
    load = Load(seed, events)
    records = list(load.records())
    assert await produce(system.broker, system.prefix + "requests", records) == events
    lines = [value for _, value in records]
    lines.sort(key=time_ms)
    (system.folder / "requests.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return load


def time_ms(line: bytes) -> int:
    found = re.search(rb'"time":(\d+)', line)
    return int(found[1]) if found else 0


def last_pane(load: Load) -> int:
    return max(end for _, _, end in load.panes)


async def check(system: System, load: Load) -> None:
    """Sums, tallies and alerts, each against what does not come from the worker."""
    entries = await system.entries()
    names = {
        objective.indicator.id: (slo.name, objective.name)
        for slo in load_definitions([system.definitions]).catalogue.slos.values()
        for objective in slo.objectives
    }
    stored: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for indicator, _, good, total in panes(entries):
        stored[names[indicator]][0] += good
        stored[names[indicator]][1] += total
    assert {key: tuple(sums) for key, sums in stored.items()} == load.totals()

    for sources in await system.tallies():
        read, counted, late, dead = (sum(column) for column in zip(*sources.values(), strict=True))
        assert (read, dead, late) == (load.events, load.dead, 0)
        assert counted + dead + late == read

    told = await system.told("warnings", "breaches")
    contents: dict[str, set[str]] = defaultdict(set)
    for event in told:
        contents[event["id"]].add(json.dumps(event, sort_keys=True))
    assert all(len(versions) == 1 for versions in contents.values())

    replayed = [
        json.loads(line)
        for line in system.call(
            "replay", str(system.definitions), "--requests", str(system.folder / "requests.ndjson")
        ).splitlines()
    ]
    last = last_pane(load)
    live = {
        event["id"]: undated(event)
        for event in told
        if not event["data"]["early"] and milliseconds(event) <= last
    }
    assert live == {event["id"]: undated(event) for event in replayed}
    assert len({event["data"]["alert_id"] for event in replayed}) >= 4
    settled = {e["data"]["alert_id"] for e in told if not e["data"]["early"]} | {
        e["data"]["alert_id"] for e in told if e["data"]["state"] == "retracted"
    }
    assert {e["data"]["alert_id"] for e in told} <= settled


def milliseconds(event: dict[str, Any]) -> int:
    return int(event["id"].split(".")[2])


def undated(event: dict[str, Any]) -> dict[str, Any]:
    """All but the source offsets: a file has others than a topic."""
    data = {**event["data"], "evidence": {**event["data"]["evidence"], "offsets": None}}
    return {**event, "data": data}


async def test_a_million_events_are_counted_exactly(system: System) -> None:
    load = await load_into(system, seed=1)

    with system.worker() as worker:
        await wait_until_async(
            lambda: system.judged(EVENTS, last_pane(load)), DONE_S, what="all judged", interval=1
        )
        assert worker.stop(30) == 0, worker.tail()

    await check(system, load)


async def test_a_worker_killed_three_times_counts_exactly(system: System) -> None:
    load = await load_into(system, seed=2)
    rng = random.Random(2)
    written = 0

    for number in range(3):
        with system.worker(number) as worker:
            written += rng.randrange(4, 12)
            counts = system.prefix + "counts"

            async def counted(counts: str = counts, enough: int = written) -> bool:
                return await end_of(system.broker, counts) > enough

            await wait_until_async(counted, DONE_S, what="some counts")
            assert worker.poll() is None, worker.tail()
            worker.kill()
            written = await end_of(system.broker, counts)
    killed_early = not await system.read_everything(EVENTS)

    with system.worker(3) as worker:
        await wait_until_async(
            lambda: system.judged(EVENTS, last_pane(load)), DONE_S, what="all judged", interval=1
        )
        assert worker.stop(30) == 0, worker.tail()

    assert killed_early, "the last kill came after the end: nothing was tested"
    await check(system, load)
