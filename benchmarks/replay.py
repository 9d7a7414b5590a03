"""How fast `servicelevel replay` reads a file, beside loops that do less, and with more SLOs.

Writes files of request events, runs each path in a process of its own, round by round, prints
tables of the round that took the least processor time, and writes them with the machine and the
versions to benchmarks/results/. Exit 1 if a count is wrong.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.meter import machine, versions
from benchmarks.result import Result, table
from benchmarks.workload import (
    INDICATORS,
    SERVICES,
    SPREAD_MS,
    Loaded,
    Request,
    many_indicators,
    requests,
    write_definitions,
)

ROOT = Path(__file__).resolve().parents[1]
PATHS = ROOT / "benchmarks" / "paths"
COMMAND = ROOT / ".venv" / "bin" / "servicelevel"
FIRST_MS = 1_760_000_000_000
END_MS = FIRST_MS + SPREAD_MS


class Program(NamedTuple):
    """A program to be measured, and how to learn from what it printed how much it counted."""

    name: str
    argv: Sequence[str]
    counted: Callable[[str, str], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if everything that was counted is right."""
    options = _parser().parse_args(arguments)
    started = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="servicelevel-bench-", dir=options.folder) as folder:
        mixed, single = Path(folder) / "mixed.ndjson", Path(folder) / "single.ndjson"
        definitions = Path(folder) / "definitions"
        write_definitions(definitions)
        _say(f"writing {options.events:,} events, twice")
        loaded = write(mixed, requests(options.events, FIRST_MS))
        write(single, requests(options.events, FIRST_MS, services=SERVICES[:1]))
        beside = [
            Program("orjson loop", _python("orjson_loop.py", mixed), _printed),
            Program("msgspec, decode only", _python("decode_only.py", mixed), _printed),
            _replay("servicelevel replay", definitions, mixed),
        ]
        many = []
        for count in options.slos:
            own = Path(folder) / f"slos-{count}"
            write_definitions(own, SERVICES[:1], many_indicators(count))
            many.append(_replay(f"servicelevel replay, SLOs: {count}", own, single))
        best = measure([*beside, *many], options.events, options.rounds)
        exact = statuses(definitions, mixed) == loaded.counts
    compared = [best[path.name] for path in beside]
    compared[-1] = replace(compared[-1], exact=bool(compared[-1].exact) and exact)
    scaled = [best[path.name] for path in many]
    print(table(compared))
    print(f"\n{table(scaled)}" if scaled else "")
    report = {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "versions": versions(),
        "events": loaded.events,
        "mean_event_bytes": round(loaded.mean_bytes, 1),
        "rounds": options.rounds,
        "beside_others": [result.row() for result in compared],
        "by_number_of_slos": [result.row() for result in scaled],
    }
    output = options.output or ROOT / f"benchmarks/results/{started:%Y-%m-%d-%H%M}-replay.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    _say(f"written to {output}")
    return 1 if any(result.exact is False for result in (*compared, *scaled)) else 0


def write(path: Path, events: Iterable[Request]) -> Loaded:
    """Write events, a line each; what they come to."""
    good: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    size = 0
    with path.open("wb") as lines:
        for event in events:
            lines.write(event.value + b"\n")
            size += len(event.value)
            total[event.service] += 1
            for name in event.good:
                good[event.service, name] += 1
    counts = {(s, name): (good[s, name], of) for s, of in total.items() for name in INDICATORS}
    return Loaded(total.total(), size / total.total(), counts)


def measure(paths: Sequence[Program], events: int, rounds: int) -> Mapping[str, Result]:
    """Of each path the run with the least processor time; rounds, as other load comes and goes."""
    best: dict[str, Result] = {}
    for _ in range(rounds):
        for path in paths:
            result = run(path, events)
            _say(f"{path.name}: {result.per_s:,.0f}/s, {result.per_cpu_s:,.0f} per CPU-second")
            known = best.get(path.name)
            if known is None or (result.exact and result.cpu_s < known.cpu_s):
                best[path.name] = result
    return best


def run(path: Program, events: int) -> Result:
    """The whole process, its start included."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(path.argv, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed, said = out.read().decode(), err.read().decode()
    if process.returncode:
        raise ChildProcessError(f"{path.argv[:2]} ended with {process.returncode}\n{said[-4000:]}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Result(path.name, events, wall_s, cpu_s, path.counted(printed, said) == events)


def statuses(definitions: Path, events: Path) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Good and all events of each service and indicator, as a replay tells them."""
    at = datetime.fromtimestamp(END_MS / 1000, UTC).isoformat()
    argv = [*_replay("", definitions, events).argv, "--status-at", at]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {(each["service"], each["objective"]): (each["good"], each["total"]) for each in found}


def _replay(name: str, definitions: Path, events: Path) -> Program:
    argv = [str(COMMAND), "replay", str(definitions), "--requests", str(events)]
    return Program(name, argv, lambda _, said: int(json.loads(said.splitlines()[-1])["counted"]))


def _python(program: str, events: Path) -> Sequence[str]:
    return [sys.executable, str(PATHS / program), str(events)]


def _printed(printed: str, _: str) -> int:
    return int(printed)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench replay", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, help="in each file")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best one counts")
    parser.add_argument("--slos", type=int, nargs="*", default=[1, 10, 100], help="numbers of SLOs")
    parser.add_argument("--folder", type=Path, help="where there is room: 360 bytes an event")
    parser.add_argument("--output", type=Path, help="the JSON file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
