"""How long it takes to have a table again that Kafka keeps: changelog, entries, evaluators.

`python -m benchmarks.recovery` starts Apache Kafka, writes a changelog of 100,000 table entries in
four partitions, and recovers it in a process of its own, several times, as a worker does that is
given all partitions. Prints a table and writes JSON to benchmarks/results/. Exit 1 if what is
recovered is not what was written.
"""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn, cast

from faust.types import TP

from benchmarks.filled import fill
from benchmarks.meter import machine, versions
from benchmarks.windows import AT_MS, TIERS
from servicelevel.adapters.faust.app import build_app, changelog_topic
from servicelevel.adapters.faust.changelog import MAX_BATCH_BYTES, KafkaChangelog
from servicelevel.adapters.faust.state import FaustState
from servicelevel.adapters.faust.store import Store
from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.adapters.kafka.connection import start_producer
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.application.ports import StateStore
from servicelevel.domain.ladder import KEPT_MS
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.partitioning import counts_partition
from servicelevel.domain.time import DAY_MS
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[1]
PARTITIONS = 4
ENTRIES = 100_000
POLICY = EvaluationPolicy(shipped_ladder(), allowed_lateness_ms=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything is there again."""
    options = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it tells of each retry
    if options.recover:
        settings = _settings(options.recover)
        print(json.dumps(asyncio.run(measure(settings))))
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="servicelevel-bench-") as folder,
        KafkaBroker(Path(folder) / "kafka", heap_mb=1024, options=()) as kafka,
    ):
        settings = _settings(kafka.address)
        written = asyncio.run(write(settings, options.entries))
        child = [sys.executable, "-m", "benchmarks.recovery", "--recover", kafka.address]
        rounds = [
            json.loads(subprocess.check_output(child, cwd=ROOT)) for _ in range(options.rounds)
        ]
    print("| entries | MiB | changelog to table, s | table to evaluators, s | both, s |")
    print("| --: | --: | --: | --: | --: |")
    for found in rounds:
        seconds = (found["table_s"], found["evaluators_s"])
        print(f"| {found['entries']:,} | {found['mib']} | {seconds[0]:.2f} | {seconds[1]:.2f} "
              f"| {sum(seconds):.2f} |")  # fmt: skip
    now = datetime.now(UTC)
    result = {
        "at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "partitions": PARTITIONS,
        "written": written,
        "rounds": rounds,
    }
    path = ROOT / "benchmarks" / "results" / f"{now:%Y-%m-%d-%H%M}-recovery.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(found["entries"] == written for found in rounds) else 1


def _settings(brokers: str) -> Settings:
    return load_settings(
        {
            "SERVICELEVEL_BROKERS": brokers,
            "SERVICELEVEL_COUNTS_PARTITIONS": str(PARTITIONS),
        }
    )


def services() -> list[str]:
    """A service for each counts partition, in their order."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        name = f"shop-{number}"
        found.setdefault(counts_partition(name, PARTITIONS), name)
        number += 1
    return [found[partition] for partition in range(PARTITIONS)]


def catalogue() -> Catalogue:
    """An SLO over 30 days, in groups, for each of them."""
    return Catalogue.of(slo(service) for service in services())


def slo(service: str) -> Slo:
    """With the Workbook's four rules."""
    objective = Objective("ok", indicator(service), Fraction(95, 100), TIERS)
    return Slo(service, service, 30 * DAY_MS, (objective,), "d")


def indicator(service: str) -> Indicator:
    """Good and all requests, by customer."""
    return Indicator(
        f"of-{service}", "request", service, "", "good", ("customer",), max_groups=100_000
    )


def fill_partition(state: StateStore, partition: int, entries: int) -> None:
    """Write at least so many entries, of groups that had an event in every pane of 35 days."""
    of_one = MemoryState()
    fill(of_one, shipped_ladder(), [("i", "")], AT_MS, KEPT_MS)
    groups = -(-entries // (len(list(of_one.scan())) - 1)) - 1
    name = indicator(services()[partition]).id
    each = [(name, ""), *((name, f"customer=c{number:05}") for number in range(groups))]
    fill(state, shipped_ladder(), each, AT_MS, KEPT_MS, PARTITIONS)


async def write(settings: Settings, entries: int) -> int:
    """Make the topics and a changelog as four evaluators leave it behind; its entries."""
    await create_topics({"bootstrap_servers": settings.brokers}, topic_specs(settings), 1)
    written = 0
    async with AsyncExitStack() as stack:
        producer = await start_producer(settings, "bench", max_batch_size=MAX_BATCH_BYTES)
        stack.push_async_callback(producer.stop)
        changelog = KafkaChangelog(producer, changelog_topic(settings), lambda *_: True)
        for partition in range(PARTITIONS):
            state = FaustState(partition, {}, "bench")
            await changelog.claim(partition, state.claim())
            fill_partition(state, partition, entries // PARTITIONS)
            records = state.end()
            await changelog.write(partition, records)
            written += len(records)
    return written


async def load(settings: Settings) -> Store:
    """The table, as a worker has it that is given all partitions."""
    app = build_app(settings, evaluators=_nothing, decode=_nothing, outputs=_nothing)  # type: ignore[arg-type]  # is not started
    store = cast(Any, app.tables["state"]).data
    assert isinstance(store, Store)
    assigned = {TP(changelog_topic(settings), number) for number in range(PARTITIONS)}
    await store.on_rebalance(assigned, set(), assigned)
    return store


def evaluators(store: Store) -> list[Evaluator]:
    """By counts partition, ready for the next message."""
    made = []
    for partition in range(PARTITIONS):
        state = FaustState(partition, store.entries.partition(partition), "next")
        evaluator = Evaluator(
            catalogue(), POLICY, state, partition=partition, partitions=PARTITIONS
        )
        state.claim()
        made.append(evaluator)
    return made


async def measure(settings: Settings) -> Mapping[str, Any]:
    """One recovery of everything."""
    started = time.perf_counter()
    store = await load(settings)
    loaded = time.perf_counter()
    entries = len(store.entries)
    size = sum(len(key) + len(value) for key, value in store.entries.items())
    begun = time.perf_counter()
    made = evaluators(store)
    ready = time.perf_counter()
    assert all(evaluator.next_offset == 1 for evaluator in made)
    return {
        "entries": entries,
        "mib": round(size / 2**20),
        "table_s": round(loaded - started, 3),
        "evaluators_s": round(ready - begun, 3),
    }


def _nothing(*_: Any) -> NoReturn:
    raise AssertionError("nothing is evaluated here")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="How long a recovery takes.")
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recover", metavar="BROKERS", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
