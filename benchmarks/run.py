"""Counts the same events on the same broker by several paths, one after the other.

Starts Apache Kafka, loads one topic, runs each path in a process of its own, prints a table and
writes it with the machine and the versions to benchmarks/results/. Exit 1 if a count is wrong.
"""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.meter import machine, versions
from benchmarks.result import Result, table
from benchmarks.worker import count_with_worker
from benchmarks.workload import SPREAD_MS, Loaded, load, requests, write_definitions
from servicelevel.adapters.kafka.connection import client_options
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.settings_file import load_settings
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[1]
PATHS = ROOT / "benchmarks" / "paths"
BENCH_PYTHON = ROOT / ".cache" / "venv-bench" / "bin" / "python"
HEAP_MB = 1024
TIMEOUT_S = 900


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything that was counted is right."""
    options = _parser().parse_args(arguments)
    started = datetime.now(UTC)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it tells of each retry
    with tempfile.TemporaryDirectory(prefix="servicelevel-bench-") as folder:
        _say("starting Apache Kafka")
        with KafkaBroker(Path(folder) / "kafka", heap_mb=HEAP_MB, options=()) as kafka:
            bench = Bench(kafka.address, Path(folder), options)
            loaded = bench.load()
            results = [bench.run(name, loaded) for name in _RUNNERS if name in options.paths]
    print(table(results))
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "events": loaded.events,
        "mean_event_bytes": round(loaded.mean_bytes, 1),
        "partitions": options.partitions,
        "results": [
            {**asdict(r), "per_s": round(r.per_s), "per_cpu_s": round(r.per_cpu_s)} for r in results
        ],
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _say(f"written to {output}")
    return 1 if any(result.exact is False for result in results) else 0


class Bench:
    """One broker, one topic of events, and the paths over it."""

    def __init__(self, address: str, folder: Path, options: argparse.Namespace) -> None:
        self._address = address
        self._folder = folder
        self._options = options
        definitions = folder / "definitions"
        write_definitions(definitions)
        self._settings = load_settings(
            {},
            options={
                "brokers": address,
                "definitions": (definitions,),
                "partitions": options.partitions,
                "counts_partitions": options.partitions,
            },
        )

    def load(self) -> Loaded:
        """Make the topics and write the events, the last one as of now."""
        client = client_options(self._settings, "bench")
        asyncio.run(create_topics(client, topic_specs(self._settings), replicas=1))
        began = time.perf_counter()
        events = requests(self._options.events, int(time.time() * 1000) - SPREAD_MS)
        loaded = asyncio.run(load(self._address, "requests", self._options.partitions, events))
        _say(
            f"loaded {loaded.events:,} events of {loaded.mean_bytes:.0f} bytes "
            f"in {time.perf_counter() - began:.1f} s"
        )
        return loaded

    def run(self, name: str, loaded: Loaded) -> Result:
        """Run one path."""
        _say(f"running {name}")
        result = _RUNNERS[name](self, loaded)
        _say(f"{result.path}: {result.per_s:,.0f} events/s")
        return result

    def drain(self, loaded: Loaded) -> Result:
        return self._path("aiokafka, fetch only", "drain.py", loaded.events)

    def faust(self, loaded: Loaded) -> Result:
        events = min(self._options.faust_events, loaded.events)
        partitions = str(self._options.partitions)
        note = f"stopped after {events:,} events." if events < loaded.events else ""
        return self._path("naive Faust agent", "naive_faust.py", events, partitions, note=note)

    def quix(self, loaded: Loaded) -> Result:
        return self._path(
            "Quix Streams tumbling window", "quix.py", loaded.events, python=BENCH_PYTHON
        )

    def servicelevel(self, loaded: Loaded) -> Result:
        log = self._folder / "worker.log"
        return asyncio.run(count_with_worker(self._settings, loaded, log))

    def _path(
        self,
        path: str,
        program: str,
        events: int,
        *more: str,
        python: Path | str = sys.executable,
        note: str = "",
    ) -> Result:
        argv = [str(python), str(PATHS / program), self._address, "requests", str(events), *more]
        found = json.loads(_call(argv).splitlines()[-1])
        return Result(path, found["events"], found["wall_s"], found["cpu_s"], note=note)


_RUNNERS: Mapping[str, Callable[[Bench, Loaded], Result]] = {
    "drain": Bench.drain,
    "faust": Bench.faust,
    "quix": Bench.quix,
    "servicelevel": Bench.servicelevel,
}


def _call(argv: Sequence[str]) -> str:
    """The output of a program; what it says on stderr is shown if it fails."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise ChildProcessError(f"{argv[:2]} ended with {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="how many to load")
    parser.add_argument("--faust-events", type=int, default=20_000, help="of which Faust counts")
    parser.add_argument("--partitions", type=int, default=4, help="of every topic")
    parser.add_argument(
        "--paths",
        nargs="+",
        choices=_RUNNERS,
        default=list(_RUNNERS),
        help="all by default",
    )
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
