"""`servicelevel run` as a path: both roles, three indicators a service."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.meter import machine_cpu_s, session_cpu_s
from benchmarks.result import Result
from benchmarks.state_watch import CountsWatch, StateWatch, Sums, watch
from benchmarks.workload import INDICATORS, Loaded
from servicelevel.adapters.kafka.connection import client_options
from servicelevel.adapters.kafka.topics import changelog_topic, create_topics, topic_specs
from servicelevel.settings import Settings
from servicelevel.settings_file import PREFIX, load_settings
from tests.services.process import ManagedProcess

COMMAND = Path(__file__).resolve().parents[1] / ".venv" / "bin" / "servicelevel"
TIMEOUT_S = 900
RETRY_S = 0.1
FINISH_S = 3  # events that are counted twice would show by then


async def count_with_worker(
    settings: Settings,
    loaded: Loaded,
    log: Path,
    workers: int = 1,
    each: int = len(INDICATORS),
    *,
    alongside: Callable[[int], Coroutine[Any, Any, None]] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Result:
    """Run workers over all that is loaded until their state, as Kafka keeps it, holds every event.

    The time and the events are those after the first counts that a worker wrote. `settings` name
    a group of their own. `each` is in how many sums an event is; of others than those of the
    indicators of the workload, only that all events are in them is checked. `alongside` is run with
    the session of the worker until the end; each of the two waits may take `timeout_s`.
    """
    await fresh_topics(settings, keep=settings.request_topics)
    number = settings.counts_partitions
    async with (
        watch(settings.brokers, settings.topic("counts"), number) as counts_log,
        watch(settings.brokers, changelog_topic(settings), number) as state_log,
    ):
        counts, state = CountsWatch(counts_log), StateWatch(state_log)
        began = time.perf_counter()
        with worker_of(settings, log, workers) as worker:
            async with _running(alongside, worker.pid):
                await _until(worker, lambda: counts.first > 0, counts.read, timeout_s)
                started, cpu = time.perf_counter(), session_cpu_s(worker.pid)
                busy, stolen = machine_cpu_s()
                wanted = loaded.events * each
                await _until(worker, lambda: state.counted >= wanted, state.read, timeout_s)
                ended, cpu_ended = time.perf_counter(), session_cpu_s(worker.pid)
                busy_ended, stolen_ended = machine_cpu_s()
                while time.perf_counter() < ended + FINISH_S:
                    await state.read()
    wall_s, own_s = ended - started, cpu_ended - cpu
    others = (busy_ended - busy - own_s) / wall_s
    exact = state.counted == wanted
    if each == len(INDICATORS):
        exact = sorted(state.sums.values()) == sorted(Sums(*s) for s in loaded.counts.values())
    return Result(
        "servicelevel run" if workers == 1 else f"servicelevel run --workers {workers}",
        loaded.events - counts.first,
        wall_s,
        own_s,
        exact=exact,
        note=(
            "windows, alerts and statuses included; from "
            f"the first counts written, {started - began:.1f} s after the start of the command, to "
            "the last event in the evaluator's state. Groups are joined within that time: with "
            "more events (`--events`) it weighs less. Cores used meanwhile: "
            f"{own_s / wall_s:.2f} by it, {others:.2f} by the broker and the benchmark's readers; "
            f"{(stolen_ended - stolen) / wall_s:.2f} were taken by the hypervisor."
        ),
    )


def settings_of(address: str, definitions: Path, partitions: int, group: str) -> Settings:
    """Those of a run that shares nothing but its events with others; defaults otherwise."""
    return load_settings(
        {},
        options={
            "brokers": address,
            "definitions": (definitions,),
            "partitions": partitions,
            "counts_partitions": partitions,
            "group": group,
        },
    )


def worker_of(settings: Settings, log: Path, workers: int = 1) -> ManagedProcess:
    """The command, started, with those of the settings that `settings_of` sets."""
    environment = {
        f"{PREFIX}BROKERS": settings.brokers,
        f"{PREFIX}DEFINITIONS": ",".join(map(str, settings.definitions)),
        f"{PREFIX}PARTITIONS": str(settings.partitions),
        f"{PREFIX}COUNTS_PARTITIONS": str(settings.counts_partitions),
        f"{PREFIX}GROUP": settings.group,
    }
    argv = [str(COMMAND), "run", "--workers", str(workers)]
    return ManagedProcess(argv, log=log, env=environment)


async def fresh_topics(settings: Settings, keep: Collection[str]) -> None:
    """Delete all topics but those to keep, and create what is missing."""
    specs = topic_specs(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        written = [spec.name for spec in specs if spec.name not in keep]
        await admin.delete_topics(written)  # those that are missing are refused one by one
        async with asyncio.timeout(TIMEOUT_S):
            while not set(written).isdisjoint(await admin.list_topics()):
                await asyncio.sleep(RETRY_S)
    finally:
        await admin.close()
    await create_topics(client_options(settings, "bench"), specs, replicas=1)


@asynccontextmanager
async def _running(
    work: Callable[[int], Coroutine[Any, Any, None]] | None, session: int
) -> AsyncIterator[None]:
    task = None if work is None else asyncio.create_task(work(session))
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))
            if not task.cancelled():
                task.result()  # it failed


async def _until(
    worker: ManagedProcess,
    condition: Callable[[], bool],
    read: Callable[[], Awaitable[None]],
    timeout_s: float,
) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            if worker.poll() is not None:
                raise ChildProcessError(f"the worker ended with {worker.poll()}\n{worker.tail()}")
            await read()
