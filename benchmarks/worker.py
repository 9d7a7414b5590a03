"""`servicelevel run` as a path: one process, both roles, three indicators a service."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from benchmarks.meter import session_cpu_s
from benchmarks.result import Result
from benchmarks.state_watch import StateWatch, Sums, watch_state
from benchmarks.workload import INDICATORS, Loaded
from tests.services.process import ManagedProcess

COMMAND = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "servicelevel"
TIMEOUT_S = 600
FINISH_S = 3  # events that are counted twice would show by then
PATIENCE = {"SERVICELEVEL_SESSION_TIMEOUT_MS": "300000"}  # it stands still while events are loaded


async def count_with_worker(
    environment: Mapping[str, str],
    changelog: str,
    partitions: int,
    warm_up: Loaded,
    load_rest: Callable[[], Awaitable[Loaded]],
    log: Path,
) -> Result:
    """How fast a worker that is up counts a backlog, and whether each sum is right.

    The worker counts the warm-up, which is loaded already; then it is halted while the rest is
    loaded. The time is that from its going on to the moment its state, as Kafka keeps it, holds
    every event.
    """
    address = environment["SERVICELEVEL_BROKERS"]
    async with watch_state(address, changelog, partitions) as watch:
        with ManagedProcess([COMMAND, "run"], log=log, env={**environment, **PATIENCE}) as worker:
            await _until(watch, worker, warm_up.events)
            worker.send_signal(signal.SIGSTOP)
            try:
                loaded = await load_rest()
            finally:
                started, cpu = time.perf_counter(), session_cpu_s(worker.pid)
                worker.send_signal(signal.SIGCONT)
            await _until(watch, worker, warm_up.events + loaded.events)
            ended, cpu_ended = time.perf_counter(), session_cpu_s(worker.pid)
            while time.perf_counter() < ended + FINISH_S:
                await watch.read()
    expected = sorted(Sums(*counts) for counts in warm_up.plus(loaded).counts.values())
    return Result(
        "servicelevel run",
        loaded.events,
        ended - started,
        cpu_ended - cpu,
        exact=sorted(watch.sums.values()) == expected,
        note=(
            f"one process, {len(INDICATORS)} indicators a service, windows, alerts and statuses "
            "included; the time ends when the evaluator's state holds the last event."
        ),
    )


async def _until(watch: StateWatch, worker: ManagedProcess, events: int) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while watch.counted < events * len(INDICATORS):
            if worker.poll() is not None:
                raise ChildProcessError(f"the worker ended with {worker.poll()}\n{worker.tail()}")
            await watch.read()
