"""Whether a worker catches up with a long backlog in bounded memory.

Starts Apache Kafka, loads the events, and starts `servicelevel run` only then. Until the last event
is in the evaluator's state, the resident set of each process of the worker is looked at. Prints a
table and writes it, with the machine and the versions, to benchmarks/results/. Exit 1 if a count is
wrong or a process was larger than `--limit-mib`.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.memory import Memory, MemoryMeter
from benchmarks.meter import machine, versions
from benchmarks.result import Result
from benchmarks.worker import count_with_worker, fresh_topics, settings_of
from benchmarks.workload import SPREAD_MS, Loaded, load, requests, write_definitions
from servicelevel.settings import Settings
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[1]
HEAP_MB = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if every count is right and every process small enough."""
    options = _parser().parse_args(arguments)
    started = datetime.now(UTC)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each retry
    with (
        tempfile.TemporaryDirectory(prefix="servicelevel-bench-", dir=options.folder) as name,
        KafkaBroker(Path(name) / "kafka", heap_mb=HEAP_MB, options=()) as kafka,
    ):
        folder = Path(name)
        write_definitions(folder / "definitions")
        settings = settings_of(
            kafka.address, folder / "definitions", options.partitions, "servicelevel-backlog"
        )
        loaded = asyncio.run(_load(settings, options.events, options.compression))
        meter = MemoryMeter()
        result = asyncio.run(
            count_with_worker(
                settings,
                loaded,
                folder / "worker.log",
                options.workers,
                alongside=meter.run,
                timeout_s=options.timeout,
            )
        )
    processes = sorted(meter.found.values(), key=lambda each: -each.peak_mib)
    print(table(loaded.events, result, processes))
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "versions": versions(),
        "events": loaded.events,
        "mean_event_bytes": round(loaded.mean_bytes, 1),
        "partitions": options.partitions,
        "workers": options.workers,
        "compression": options.compression,
        "limit_mib": options.limit_mib,
        "result": result.row(),
        "peak_mib": [round(each.peak_mib, 1) for each in processes],
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}-backlog.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _say(f"written to {output}")
    return 0 if result.exact and fits(processes, options.limit_mib) else 1


async def _load(settings: Settings, events: int, compression: str | None) -> Loaded:
    """Make the topics and write the events, the last one as of now."""
    await fresh_topics(settings, keep=())
    began = time.perf_counter()
    first_ms = int(time.time() * 1000) - SPREAD_MS
    loaded = await load(
        settings.brokers,
        "requests",
        settings.partitions,
        requests(events, first_ms),
        compression,
    )
    _say(
        f"loaded {loaded.events:,} events of {loaded.mean_bytes:.0f} bytes "
        f"in {time.perf_counter() - began:.1f} s"
    )
    return loaded


def fits(processes: Sequence[Memory], limit_mib: float) -> bool:
    """Whether there are any, and none was ever larger than the limit."""
    return bool(processes) and all(each.peak_mib <= limit_mib for each in processes)


def table(events: int, result: Result, processes: Sequence[Memory]) -> str:
    """Markdown; the peaks are those of each process, the largest first."""
    peaks = ", ".join(f"{each.peak_mib:,.0f}" for each in processes)
    lines = [
        "| path | events | events/s | per CPU-second | peak RSS by process, MiB | exact |",
        "| --- | --: | --: | --: | --: | --- |",
        f"| {result.path} | {events:,} | {result.per_s:,.0f} | {result.per_cpu_s:,.0f} "
        f"| {peaks} | {'yes' if result.exact else '**no**'} |",
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench backlog", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="how many to load")
    parser.add_argument("--partitions", type=int, default=4, help="of every topic")
    parser.add_argument("--workers", type=int, default=1, help="processes that count")
    parser.add_argument(
        "--compression", choices=("gzip",), help="of the events, 256 KiB a batch; none by default"
    )
    parser.add_argument("--limit-mib", type=float, default=512, help="for each process")
    parser.add_argument("--timeout", type=float, default=3_600, help="seconds to catch up in")
    parser.add_argument("--folder", type=Path, help="where there is room: 250 bytes an event")
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
