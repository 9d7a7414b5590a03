"""Counts the same events on the same broker by several paths, one after the other.

Starts Apache Kafka, loads one topic, runs each path in a process of its own, round by round, prints
a table of the round that took the least processor time, and writes it with the machine and the
versions to benchmarks/results/. Exit 1 if a count is wrong.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.meter import machine, session_cpu_s, versions
from benchmarks.peers import RUNNERS, Place, faust
from benchmarks.result import Result, table
from benchmarks.worker import count_with_worker, settings_of
from benchmarks.workload import SPREAD_MS, Loaded, load, requests, write_definitions
from servicelevel.adapters.kafka.connection import client_options
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.settings import Settings
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[1]
HEAP_MB = 1024
REBALANCE_DELAY_MS = 3_000  # Kafka's default: workers that start together share from the start
WORKERS: Mapping[str, int] = {"servicelevel": 1, "servicelevel-2": 2}
NAMES = ("drain", "decode", "orjson", "faust", "quix", "streams", "streams-eos", *WORKERS)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything that was counted is right."""
    options = _parser().parse_args(arguments)
    started, made_of = datetime.now(UTC), versions()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each retry
    with tempfile.TemporaryDirectory(prefix="servicelevel-bench-", dir=options.folder) as folder:
        _say("starting Apache Kafka")
        with KafkaBroker(
            Path(folder) / "kafka",
            heap_mb=HEAP_MB,
            options=(),
            rebalance_delay_ms=REBALANCE_DELAY_MS,
        ) as kafka:
            bench = Bench(kafka, Path(folder), options)
            loaded = bench.load()
            rounds = [bench.round(loaded) for _ in range(options.rounds)]
    results = [best(found) for found in zip(*rounds, strict=True)]
    print(table(results))
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "versions": made_of,
        "events": loaded.events,
        "mean_event_bytes": round(loaded.mean_bytes, 1),
        "partitions": options.partitions,
        "results": [result.row() for result in results],
        "rounds": [[result.row() for result in found] for found in rounds],
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _say(f"written to {output}")
    wrong = any(result.exact is False for found in rounds for result in found)
    return 1 if wrong else 0


def best(rounds: Sequence[Result]) -> Result:
    """Of one path: a wrong count if there is one, else what took the least processor time."""
    return max(rounds, key=lambda result: (result.exact is False, result.per_cpu_s))


class Bench:
    """One broker, one topic of events, and the paths over it."""

    def __init__(self, kafka: KafkaBroker, folder: Path, options: argparse.Namespace) -> None:
        self._kafka = kafka
        self._folder = folder
        self._options = options
        self._runs = 0
        self._place = Place(kafka.address, "requests", options.partitions, folder)
        write_definitions(folder / "definitions")

    def load(self) -> Loaded:
        """Make the topics and write the events, the last one as of now."""
        settings = self._settings("servicelevel")
        client = client_options(settings, "bench")
        asyncio.run(create_topics(client, topic_specs(settings), replicas=1))
        began = time.perf_counter()
        events = requests(self._options.events, int(time.time() * 1000) - SPREAD_MS)
        loaded = asyncio.run(load(self._kafka.address, "requests", self._place.partitions, events))
        _say(
            f"loaded {loaded.events:,} events of {loaded.mean_bytes:.0f} bytes "
            f"in {time.perf_counter() - began:.1f} s"
        )
        return loaded

    def round(self, loaded: Loaded) -> Sequence[Result]:
        """Run every path that is wanted, once."""
        return [self._run(name, loaded) for name in NAMES if name in self._options.only]

    def _run(self, name: str, loaded: Loaded) -> Result:
        _say(f"running {name}")
        broker = self._kafka.process.pid
        before_s = session_cpu_s(broker)
        if name in RUNNERS:
            result = RUNNERS[name](self._place, loaded)
        elif name in WORKERS:
            result = self._servicelevel(loaded, WORKERS[name])
        else:
            result = faust(self._place, loaded, self._options.faust_events)
        events = (
            min(loaded.events, self._options.faust_events) if name == "faust" else loaded.events
        )
        used_us = (session_cpu_s(broker) - before_s) * 1e6 / events
        _say(
            f"{result.path}: {result.per_s:,.0f} events/s, {result.per_cpu_s:,.0f} per CPU-second, "
            f"exact: {result.exact}"
        )
        return replace(result, broker_us=round(used_us, 2))

    def _servicelevel(self, loaded: Loaded, workers: int) -> Result:
        self._runs += 1
        settings = self._settings(f"servicelevel-{self._runs}")
        log = self._folder / f"worker-{self._runs}.log"
        return asyncio.run(count_with_worker(settings, loaded, log, workers))

    def _settings(self, group: str) -> Settings:
        definitions = self._folder / "definitions"
        return settings_of(self._kafka.address, definitions, self._options.partitions, group)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many to load")
    parser.add_argument("--faust-events", type=int, default=20_000, help="of which Faust counts")
    parser.add_argument("--partitions", type=int, default=4, help="of every topic")
    parser.add_argument("--rounds", type=int, default=1, help="of which the best one counts")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=NAMES,
        default=NAMES,
        help=f"of {', '.join(NAMES)}; all by default",
    )
    parser.add_argument("--folder", type=Path, help="where there is room: 250 bytes an event")
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
