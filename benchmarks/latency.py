"""How long it takes from an event to the warning on Kafka, while other events flow.

Starts Apache Kafka and `servicelevel run`, and for each rate sends so many ordinary events a second
and, five times a second, an event of a group that was never seen and is bad: its burn rate is
highest at once. Measured is from the call that sends it to the warning, read back: the early one,
and how long after its pane was complete the one that counts. Writes benchmarks/results/.
"""

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.meter import machine, session_cpu_s, versions
from benchmarks.state_watch import CountsWatch, watch
from benchmarks.worker import fresh_topics, settings_of, worker_of
from benchmarks.workload import INDICATORS, SERVICES, requests, write_definitions
from servicelevel.settings import Settings
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess

ROOT = Path(__file__).resolve().parents[1]
PROBE = "probe"  # the service of the bad events
GROUP_BY = "attributes.customer"
PROBES_PER_S = 5
TICK_S = 0.02
TAIL_S = 45  # a pane's length, the lateness and time for the last ones
JOIN_S = 60


@dataclass
class Seen:
    """By group: when its event was sent, and when its warnings were read, in seconds."""

    sent: dict[str, float] = field(default_factory=dict)
    early: dict[str, float] = field(default_factory=dict)
    on_time: dict[str, float] = field(default_factory=dict)  # after the pane was complete


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if every bad event was warned of."""
    options = _parser().parse_args(arguments)
    started = datetime.now(UTC)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    rows = []
    with (
        tempfile.TemporaryDirectory(prefix="servicelevel-bench-") as folder,
        KafkaBroker(Path(folder) / "kafka", heap_mb=1024, options=()) as kafka,
    ):
        definitions = Path(folder) / "definitions"
        write_definitions(definitions)
        probe = {"availability": INDICATORS["availability"]}
        write_definitions(definitions / PROBE, [PROBE], probe, [GROUP_BY])
        for number, rate in enumerate(options.rates):
            settings = settings_of(kafka.address, definitions, 4, f"latency-{number}")
            log = Path(folder) / f"worker-{number}.log"
            row = asyncio.run(measure(settings, rate, options.seconds, log))
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    print(table(rows))
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "versions": versions(),
        "rows": rows,
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}-latency.json"
    output.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if any(row["probes"] != row["early_warnings"] for row in rows) else 0


async def measure(settings: Settings, rate: int, seconds: int, log: Path) -> dict[str, Any]:
    """Run a worker under `rate` events a second, from when it counts; what was found."""
    await fresh_topics(settings, keep=())
    seen = Seen()
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, max_batch_size=256 * 1024)
    await producer.start()
    try:
        async with (
            watch(settings.brokers, settings.topic("counts"), 4) as counts_log,
            watch(settings.brokers, settings.topic("warnings"), 4) as warnings,
        ):
            with worker_of(settings, log) as worker:
                await _counting(producer, CountsWatch(counts_log))
                reading = asyncio.create_task(_read(warnings, seen, settings))
                cpu_s = session_cpu_s(worker.pid)
                sent = await _send(producer, rate, seconds, seen)
                cpu_s = session_cpu_s(worker.pid) - cpu_s
                await _drained(producer, worker, seen)
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading
    finally:
        await producer.stop()
    return {
        "wanted_per_s": rate,
        "per_s": round(sent / seconds),
        "cores": round(cpu_s / seconds, 3),
        "probes": len(seen.sent),
        "early_warnings": len(seen.early),
        "early": spread(list(seen.early.values())),
        "on_time_warnings": len(seen.on_time),
        "on_time": spread(list(seen.on_time.values())),
    }


async def _counting(producer: AIOKafkaProducer, counts: CountsWatch) -> None:
    """Send a little, until the worker has joined and counts."""
    async with asyncio.timeout(JOIN_S):
        while not counts.first:
            await _trickle(producer)
            await counts.read()


async def _trickle(producer: AIOKafkaProducer) -> None:
    """An event on each partition, so that time goes on."""
    for part in range(4):
        await producer.send("requests", next(_events(1)), partition=part)


async def _send(producer: AIOKafkaProducer, rate: int, seconds: int, seen: Seen) -> int:
    """Send in ticks, and as many as are due; the number."""
    began, sent, probed = time.perf_counter(), 0, 0
    tails = [_tail(value) for value in _events(1_000)]
    while (passed := time.perf_counter() - began) < seconds:
        head = b'{"time":%d' % (time.time() * 1000)
        for part in range(4):
            batch = producer.create_batch()
            for number in range(sent + part, int(passed * rate), 4):
                batch.append(key=None, value=head + tails[number % 1_000], timestamp=None)
            if batch.record_count():
                await producer.send_batch(batch, "requests", partition=part)
        sent = max(sent, int(passed * rate))
        while probed < passed * PROBES_PER_S:
            await _probe(producer, probed, seen)
            probed += 1
        await asyncio.sleep(max(0.0, passed + TICK_S - (time.perf_counter() - began)))
    return sent


async def _probe(producer: AIOKafkaProducer, number: int, seen: Seen) -> None:
    event = {
        "service": PROBE,
        "time": int(time.time() * 1000),
        "status_code": 503,
        "duration_ms": 1.0,
        "attributes": {"customer": f"c{number}"},
    }
    seen.sent[f"{GROUP_BY}=c{number}"] = time.time()
    await producer.send("requests", orjson.dumps(event), partition=number % 4)


async def _read(warnings: AIOKafkaConsumer, seen: Seen, settings: Settings) -> None:
    """Take in warnings for ever."""
    while True:
        for records in (await warnings.getmany(timeout_ms=5)).values():
            now = time.time()
            for record in records:
                told = orjson.loads(record.value)["data"]
                group = told["group"]
                if group not in seen.sent or told["state"] != "raised":
                    continue
                if told["early"]:
                    seen.early[group] = now - seen.sent[group]
                else:
                    pane_end = datetime.fromisoformat(told["raised_at"]).timestamp()
                    seen.on_time[group] = now - pane_end - settings.allowed_lateness_ms / 1000


async def _drained(producer: AIOKafkaProducer, worker: ManagedProcess, seen: Seen) -> None:
    """Go on with a little traffic until the last probes are confirmed, or no more is to come."""
    end = time.perf_counter() + TAIL_S
    while len(seen.on_time) < len(seen.sent) and time.perf_counter() < end:
        if worker.poll() is not None:
            raise ChildProcessError(f"the worker ended with {worker.poll()}\n{worker.tail()}")
        await _trickle(producer)
        await asyncio.sleep(0.1)


def _events(count: int) -> Iterator[bytes]:
    now = int(time.time() * 1000)
    return (event.value for event in requests(count, now, services=SERVICES))


def _tail(value: bytes) -> bytes:
    """An event without its brace and time, to be put after another time."""
    event = orjson.loads(value)
    del event["time"]
    return b"," + orjson.dumps(event)[1:]


def spread(seconds: Sequence[float]) -> dict[str, float] | None:
    """Milliseconds at the median, the 99th percentile and the most; None of fewer than two."""
    if len(seconds) < 2:
        return None
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    found = {"p50_ms": cuts[49], "p99_ms": cuts[98], "max_ms": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, in milliseconds."""
    lines = [
        "| events/s | cores | early p50 | p99 | most | complete p50 | p99 | most | warnings |",
        "| --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row in rows:
        found = [
            f"{row[which][name]:,.0f}" if row[which] else "-"
            for which in ("early", "on_time")
            for name in ("p50_ms", "p99_ms", "max_ms")
        ]
        lines.append(
            f"| {row['per_s']:,} | {row['cores']} | {' | '.join(found)} "
            f"| {row['early_warnings']} of {row['probes']} |"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench latency", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 100_000], help="events/s")
    parser.add_argument("--seconds", type=int, default=60, help="of each rate")
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
