"""`servicelevel run` as a path: one process, both roles, three indicators a service."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.meter import session_cpu_s
from benchmarks.result import Result
from benchmarks.state_watch import StateWatch, Sums, watch_state
from benchmarks.workload import INDICATORS, Loaded
from tests.services.process import ManagedProcess

COMMAND = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "servicelevel"
TIMEOUT_S = 600
FINISH_S = 3  # events that are counted twice would show by then


async def count_with_worker(
    environment: Mapping[str, str], changelog: str, partitions: int, loaded: Loaded, log: Path
) -> Result:
    """Run a worker until its state holds every event, and compare each sum.

    The rate is that between the first sums seen in the state's changelog and the last.
    """
    address = environment["SERVICELEVEL_BROKERS"]
    async with watch_state(address, changelog, partitions) as watch:
        started = time.perf_counter()
        with ManagedProcess([COMMAND, "run"], log=log, env=environment) as worker:
            await _until(watch, worker, 1)
            first = watch.counted // len(INDICATORS)
            first_at, first_cpu = time.perf_counter(), session_cpu_s(worker.pid)
            await _until(watch, worker, loaded.events * len(INDICATORS))
            ended, cpu = time.perf_counter(), session_cpu_s(worker.pid)
            while time.perf_counter() < ended + FINISH_S:
                await watch.read()
    expected = sorted(Sums(*counts) for counts in loaded.counts.values())
    return Result(
        "servicelevel run",
        loaded.events - first,
        ended - first_at,
        cpu - first_cpu,
        exact=sorted(watch.sums.values()) == expected,
        note=(
            f"{ended - started:.1f} s and {cpu:.1f} CPU-seconds from the process's start to the "
            f"last event counted; {first:,} events before the first sums were seen."
        ),
    )


async def _until(watch: StateWatch, worker: ManagedProcess, counted: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while watch.counted < counted:
            if worker.poll() is not None:
                raise ChildProcessError(f"the worker ended with {worker.poll()}\n{worker.tail()}")
            await watch.read()
