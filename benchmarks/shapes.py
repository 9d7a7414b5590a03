"""What `servicelevel run` makes of other shapes: more SLOs, groups, a hot key, and a restart.

Starts Apache Kafka and, for each shape, loads events of one service and counts them as
`scripts/bench` does. The last row of the groups is started again with the state that it has left,
and it is measured how long it takes from the start of the command to the first evaluation of new
events. Writes benchmarks/results/. Exit 1 if a count is wrong.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.meter import machine, versions
from benchmarks.result import Result, table
from benchmarks.state_watch import StateWatch, lag, watch
from benchmarks.worker import count_with_worker, fresh_topics, settings_of, worker_of
from benchmarks.workload import (
    INDICATORS,
    SERVICES,
    Request,
    load,
    many_indicators,
    requests,
    write_definitions,
)
from servicelevel.adapters.kafka.topics import changelog_topic
from servicelevel.settings import Settings
from tests.services.kafka import KafkaBroker

ROOT = Path(__file__).resolve().parents[1]
PARTITIONS = 4
EVENTS_PER_S = 8_000  # of event time, by default: about as 5,000,000 in `scripts/bench`
NEW_EVENTS = 1_000
TIMEOUT_S = 300


class Shape(NamedTuple):
    """So many SLOs of one service, each for so many groups.

    The `hot` share of the events is of the first group; all of a group are in one partition, if
    `by_key`, as a producer does that uses it as the key.
    """

    name: str
    slos: int = len(INDICATORS)
    groups: int = 0
    hot: float = 0.0
    by_key: bool = False


SHAPES = (
    Shape("1 SLO", slos=1),
    Shape("10 SLOs", slos=10),
    Shape("100 SLOs", slos=100),
    Shape("3 SLOs", slos=3),
    Shape("3 SLOs, 1 group", groups=1),
    Shape("3 SLOs, 1,000 groups, the key", groups=1_000, by_key=True),
    Shape("3 SLOs, 1,000 groups, the key, 90 % of one", groups=1_000, by_key=True, hot=0.9),
    Shape("3 SLOs, 1,000 groups", groups=1_000),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything that was counted is right."""
    options = _parser().parse_args(arguments)
    started = datetime.now(UTC)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with (
        tempfile.TemporaryDirectory(prefix="servicelevel-bench-") as folder,
        KafkaBroker(Path(folder) / "kafka", heap_mb=1024, options=()) as kafka,
    ):
        results = []
        shapes = [shape for shape in SHAPES if shape.name in options.only]
        for number, shape in enumerate(shapes):
            definitions = Path(folder) / f"definitions-{number}"
            write(definitions, shape)
            settings = settings_of(kafka.address, definitions, PARTITIONS, f"shape-{number}")
            log = Path(folder) / f"worker-{number}.log"
            events = shaped(shape, options.events, options.per_second)
            result = asyncio.run(measure(settings, shape, events, log))
            print(f"bench: {shape.name}: {result.per_cpu_s:,.0f}/CPU-s", file=sys.stderr)
            results.append(result)
        restart_s = asyncio.run(restart(settings, shape, log))
    print(table(results))
    print(f"\nFirst evaluation after a start with the state of the last row: {restart_s:.1f} s")
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "versions": versions(),
        "events": options.events,
        "per_second": options.per_second,
        "results": [result.row() for result in results],
        "restart_s": round(restart_s, 2),
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}-shapes.json"
    output.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if any(result.exact is False for result in results) else 0


def write(folder: Path, shape: Shape) -> None:
    """The definitions of a shape."""
    indicators = INDICATORS if shape.slos == len(INDICATORS) else many_indicators(shape.slos)
    group_by = ["attributes.customer"] if shape.groups else []
    write_definitions(folder, SERVICES[:1], indicators, group_by)


def shaped(shape: Shape, count: int, per_second: int = EVENTS_PER_S) -> Iterator[Request]:
    """Events of one service up to now; those of groups have an attribute `customer`."""
    draw = random.Random(2)
    spread_ms = count * 1_000 // per_second
    first_ms = int(time.time() * 1_000) - spread_ms
    for event in requests(count, first_ms, services=SERVICES[:1], spread_ms=spread_ms):
        if not shape.groups:
            yield event
            continue
        customer = 0 if draw.random() < shape.hot else draw.randrange(shape.groups)
        value = event.value.removesuffix(b"}}") + b',"customer":"c%d"}}' % customer
        part = customer % PARTITIONS if shape.by_key else None
        yield replace(event, value=value, part=part)


async def measure(settings: Settings, shape: Shape, events: Iterable[Request], log: Path) -> Result:
    """Load and count."""
    await fresh_topics(settings, keep=())
    loaded = await load(settings.brokers, "requests", PARTITIONS, events)
    each = shape.slos * (2 if shape.groups else 1)  # an event of a group is in the total, too
    result = await count_with_worker(settings, loaded, log, each=each)
    return replace(result, path=shape.name, note="")


async def restart(settings: Settings, shape: Shape, log: Path) -> float:
    """Seconds from the start of a worker with state to the first new events in it."""
    number = settings.counts_partitions
    async with watch(settings.brokers, changelog_topic(settings), number) as state_log:
        state = StateWatch(state_log)
        while not state.counted or await lag(state_log):
            await state.read()
        before = state.counted
        await load(settings.brokers, "requests", PARTITIONS, shaped(shape, NEW_EVENTS))
        began = time.perf_counter()
        with worker_of(settings, log) as worker:
            async with asyncio.timeout(TIMEOUT_S):
                while state.counted <= before:
                    if worker.poll() is not None:
                        raise ChildProcessError(worker.tail())
                    await state.read()
            return time.perf_counter() - began


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench shapes", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="of each shape")
    parser.add_argument(
        "--per-second", type=int, default=EVENTS_PER_S, help="events a second of event time"
    )
    names = [shape.name for shape in SHAPES]
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=names,
        default=names,
        help=f"of {'; '.join(names)}; all by default".replace("%", "%%"),
    )
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
