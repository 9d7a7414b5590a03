"""A million events through `servicelevel run` on Apache Kafka, with and without SIGKILL.

The oracle counts what the generator made; alerts must be those of `servicelevel replay` over the
same events.
"""

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.e2e.shop_load import DEFINITIONS, Load
from tests.e2e.topics import end_of, panes, produce, read_all, table
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, wait_until_async

EVENTS = 1_000_000
DONE_S = 180
SERVICELEVEL = (sys.executable, "-m", "servicelevel")


class System:
    """A prefix of its own on a broker, its definitions, and workers on it."""

    def __init__(self, broker: str, prefix: str, folder: Path) -> None:
        self.broker, self.prefix, self.folder = broker, prefix, folder
        self.definitions = folder / "slos.yaml"
        self.definitions.write_text(DEFINITIONS)
        self.environment = {
            "SERVICELEVEL_BROKERS": broker,
            "SERVICELEVEL_TOPIC_PREFIX": prefix,
            "SERVICELEVEL_GROUP": prefix.rstrip("."),
            "SERVICELEVEL_DEFINITIONS": str(self.definitions),
            "SERVICELEVEL_SESSION_TIMEOUT_MS": "6000",
        }

    def worker(self, number: int = 0) -> ManagedProcess:
        log = self.folder / f"worker-{number}.log"
        return ManagedProcess([*SERVICELEVEL, "run"], log=log, env=self.environment)

    def call(self, *arguments: str) -> str:
        done = subprocess.run(
            [*SERVICELEVEL, *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def entries(self) -> dict[tuple[int, str], Any]:
        group = self.environment["SERVICELEVEL_GROUP"]
        return await table(self.broker, f"{group}-evaluator-state-changelog")

    async def tallies(self) -> list[dict[str, list[int]]]:
        """By counts partition, what each source of requests came to."""
        return [
            {name: raw[5] for name, raw in value["sources"].items() if name.startswith("requests")}
            for (_, key), value in (await self.entries()).items()
            if key == "p"
        ]

    async def read_everything(self, sent: int) -> bool:
        tallies = await self.tallies()
        return len(tallies) == 4 and all(
            sum(tally[0] for tally in sources.values()) == sent for sources in tallies
        )

    async def judged_everything(self, load: Load) -> bool:
        last = max(end for _, _, end in load.panes)
        progress = [v for (_, key), v in (await self.entries()).items() if key == "p"]
        return await self.read_everything(EVENTS) and all(
            (value["watermark_ms"] or 0) >= last for value in progress
        )

    async def transitions(self) -> list[dict[str, Any]]:
        found = []
        for topic in ("warnings", "breaches"):
            records = await read_all(self.broker, self.prefix + topic)
            found += [json.loads(r.value) for r in records if r.value is not None]
        return found


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    made = System(kafka.address, topic_prefix, tmp_path)
    made.call("topics", "create")
    return made


async def load_into(system: System, seed: int) -> Load:
    """Write the load to Kafka and, in another order, to a file."""
    load = Load(seed, EVENTS)
    records = list(load.records())
    assert await produce(system.broker, system.prefix + "requests", records) == EVENTS
    lines = [value for _, value in records]
    lines.sort(key=lambda line: int(line.partition(b'"time":')[2].partition(b",")[0] or 0))
    (system.folder / "requests.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return load


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
        assert (read, dead, late) == (EVENTS, load.dead, 0)
        assert counted + dead + late == read

    told = await system.transitions()
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
    last = max(end for _, _, end in load.panes)
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
            lambda: system.judged_everything(load), DONE_S, what="all judged", interval=1
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
            lambda: system.judged_everything(load), DONE_S, what="all judged", interval=1
        )
        assert worker.stop(30) == 0, worker.tail()

    assert killed_early, "the last kill came after the end: nothing was tested"
    await check(system, load)
