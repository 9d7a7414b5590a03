"""The paths that are compared, each run as a process of its own over the same topic."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.result import Result
from benchmarks.streams import committed, compiled, java
from benchmarks.workload import INDICATORS, Loaded
from tests.services.kafka import libs_folder

ROOT = Path(__file__).resolve().parents[1]
PATHS = ROOT / "benchmarks" / "paths"
BENCH_PYTHON = ROOT / ".cache" / "venv-bench" / "bin" / "python"
TIMEOUT_S = 1_800
WARM_SHARE = 5  # the first fifth of the events is for a JVM to compile on

Counts = Mapping[str, Sequence[int]]
"""By service: good events of each indicator, in order, and all."""


class Place(NamedTuple):
    """Where a path runs: the broker's address, its topic of events, and a folder for files."""

    address: str
    topic: str
    partitions: int
    folder: Path


def drain(place: Place, loaded: Loaded) -> Result:
    """Fetch alone."""
    found = _run(place, _python("drain.py"), loaded.events)
    return _result("aiokafka, fetch only", found)


def decode(place: Place, loaded: Loaded) -> Result:
    """Fetch by batches and decode: what is left when counting costs nothing."""
    found = _run(place, _python("fetch_and_decode.py"), loaded.events)
    return _result("fetched by batch, decoded, dropped", found)


def orjson_dict(place: Place, loaded: Loaded) -> Result:
    """A plain loop."""
    found = _run(place, _python("orjson_dict.py"), loaded.events)
    return _result("aiokafka + orjson + dict", found, exact=is_exact(found["counts"], loaded))


def faust(place: Place, loaded: Loaded, events: int) -> Result:
    """As Faust's guide does it, over the first `events`."""
    events = min(events, loaded.events)
    argv = _python("naive_faust.py")
    found = _run(place, argv, events, str(place.partitions))
    note = f"stopped after {events:,} events." if events < loaded.events else ""
    return _result("naive Faust agent", found, note=note)


def quix(place: Place, loaded: Loaded) -> Result:
    """A tumbling window of Quix Streams."""
    found = _run(place, _python("quix.py", BENCH_PYTHON), loaded.events)
    return _result("Quix Streams tumbling window", found)


def streams(place: Place, loaded: Loaded, guarantee: str) -> Result:
    """Kafka Streams, warm; counts are those in its changelog."""
    program = compiled(PATHS / "KafkaStreamsCount.java", place.folder / "classes", libs_folder())
    argv = java(program, libs_folder(), place.folder)
    found = _run(place, argv, loaded.events, guarantee, str(loaded.events // WARM_SHARE))
    cold = _result("", found["whole"])
    note = (
        f"one stream thread; without the first fifth, on which the JVM warms up. With it: "
        f"{cold.per_s:,.0f} events/s, {cold.per_cpu_s:,.0f} per CPU-second."
    )
    exact = is_exact(committed(place.address, found["changelog"], place.partitions), loaded)
    return _result(f"Kafka Streams, {guarantee}", found, exact=exact, note=note)


def is_exact(counts: Counts, loaded: Loaded) -> bool:
    """Whether counts are those of what was loaded."""
    return loaded.counts == {
        (service, name): (good, total)
        for service, (*goods, total) in counts.items()
        for name, good in zip(INDICATORS, goods, strict=True)
    }


def _python(program: str, python: Path | str = sys.executable) -> Sequence[str]:
    return [str(python), str(PATHS / program)]


def _result(path: str, found: Mapping[str, Any], **more: Any) -> Result:
    return Result(path, found["events"], found["wall_s"], found["cpu_s"], **more)


def _run(place: Place, program: Sequence[str], events: int, *more: str) -> Any:
    """What a program prints; what it says on stderr is shown if it fails."""
    argv = [*program, place.address, place.topic, str(events), *more]
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "TMPDIR": str(place.folder)},
    )
    if done.returncode:
        raise ChildProcessError(f"{argv[:2]} ended with {done.returncode}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


RUNNERS: Mapping[str, Callable[[Place, Loaded], Result]] = {
    "drain": drain,
    "decode": decode,
    "orjson": orjson_dict,
    "quix": quix,
    "streams": lambda place, loaded: streams(place, loaded, "at_least_once"),
    "streams-eos": lambda place, loaded: streams(place, loaded, "exactly_once_v2"),
}
"""By the name that `--only` takes."""
