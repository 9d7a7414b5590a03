"""`servicelevel run`: the parts of one worker in one process, or several supervised workers."""

import asyncio
import gc
import os
import secrets
import signal
import socket
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, Literal, get_args

import structlog

from servicelevel.adapters.faust.run import run_evaluator
from servicelevel.adapters.http.server import serving, vitals_app
from servicelevel.adapters.kafka.connection import client_options, slow_client_warning
from servicelevel.adapters.kafka.topics import ensure_topics, topic_specs
from servicelevel.adapters.redis.mirror import run_mirror
from servicelevel.application.definitions import Definitions
from servicelevel.application.supervision import RestartPolicy
from servicelevel.application.vitals import CombinerVitals, EvaluatorVitals, Vitals
from servicelevel.bootstrap import build_evaluator_app, read_definitions, run_combiner
from servicelevel.entrypoints import watching
from servicelevel.entrypoints.collecting import THRESHOLDS
from servicelevel.entrypoints.reloading import Reloader, keep_current
from servicelevel.entrypoints.supervisor import Supervisor, settings_environment, worker_command
from servicelevel.errors import RestartRequiredError, SettingsError
from servicelevel.settings import Settings

Part = Literal["combiner", "evaluator", "mirror"]
PARTS: tuple[Part, ...] = get_args(Part)
HEAD_START_SECONDS = 5.0
STOP_SECONDS = 25.0  # less than a supervisor waits before it kills
log = structlog.get_logger(__name__)


def run(settings: Settings, role: str = "all", workers: int = 1, *, watch: bool = False) -> int:
    """Run until SIGTERM or SIGINT, then return 0; `role` is `all` or one of the parts.

    The definitions are read anew on SIGHUP, and with `watch` when they change. Raises an error of
    our tree if it cannot go on.
    """
    parts = tuple(part for part in PARTS if role in ("all", part))
    if workers == 1:
        asyncio.run(_worker(settings, parts, watch=watch))
    else:
        asyncio.run(_supervise(settings, role, workers, watch=watch))
    return 0


async def _worker(settings: Settings, parts: tuple[Part, ...], *, watch: bool) -> None:
    due = asyncio.Event()  # to read the definitions anew
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, due.set)
    definitions = read_definitions(settings)
    if (warning := slow_client_warning()) is not None:
        log.warning(warning)
    await ensure_topics(client_options(settings, "admin"), topic_specs(settings))
    stop = _stop_on_signals()
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    log.info("worker starts", owner=owner, parts=parts, slos=len(definitions.catalogue.slos))
    gc.collect()
    gc.freeze()  # what lives as long as the process need not be looked at again
    gc.set_threshold(*THRESHOLDS)
    vitals = Vitals(
        CombinerVitals() if "combiner" in parts else None,
        EvaluatorVitals() if "evaluator" in parts else None,
    )
    works = _works(settings, definitions, parts, owner, vitals, stop)
    reloader = Reloader(definitions, partial(read_definitions, settings), due)
    watched = settings.definitions if watch else ()
    works["definitions"] = keep_current(reloader, due, watched, stop)
    works["watchdog"] = watching.watch(
        vitals, stop, time.monotonic, limit_seconds=settings.stall_timeout_ms / 1_000
    )
    if settings.http_port is not None:
        works["http"] = _answer(settings, vitals, stop)
    await _together(stop, works)
    log.info("worker stopped", owner=owner)


async def _answer(settings: Settings, vitals: Vitals, stop: asyncio.Event) -> None:
    """Serve health and metrics; worker n of a supervisor has a port of its own."""
    port = settings.http_port or 0
    if port:
        port += int(os.environ.get("SERVICELEVEL_WORKER", "0"))
    app = vitals_app(vitals, wall_clock_ms)
    async with serving(app, settings.http_host, port) as bound:
        log.info("answering over HTTP", host=settings.http_host, port=bound)
        await stop.wait()


def _works(
    settings: Settings,
    definitions: Definitions,
    parts: tuple[Part, ...],
    owner: str,
    vitals: Vitals,
    stop: asyncio.Event,
) -> dict[str, Coroutine[Any, Any, None]]:
    works: dict[str, Coroutine[Any, Any, None]] = {}
    evaluating = asyncio.Event()
    if "evaluator" in parts:
        app = build_evaluator_app(
            settings, definitions, vitals=vitals.evaluator, ready=evaluating.set
        )
        works["evaluator"] = run_evaluator(app, stop)
    else:
        evaluating.set()
    if "combiner" in parts:
        combiner = run_combiner(
            settings, definitions, owner, wall_clock_ms, stop, vitals=vitals.combiner
        )
        works["combiner"] = _after(evaluating, stop, combiner)
    if "mirror" in parts and settings.redis_url is not None:
        works["mirror"] = run_mirror(settings, stop)
    if not works:
        raise SettingsError("the mirror needs a Redis: set SERVICELEVEL_REDIS_URL")
    return works


async def _after(
    ready: asyncio.Event, stop: asyncio.Event, work: Coroutine[Any, Any, None]
) -> None:
    """Begin when the evaluator is up, which a backlog in the same process would hold back."""
    waits = [asyncio.create_task(event.wait()) for event in (ready, stop)]
    await asyncio.wait(waits, timeout=HEAD_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await work


async def _together(stop: asyncio.Event, works: dict[str, Coroutine[Any, Any, None]]) -> None:
    """Run all; the first that ends stops the others, and what it raised is raised here."""
    tasks = [asyncio.create_task(work, name=part) for part, work in works.items()]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    ended, running = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    errors: list[BaseException] = []
    for task in ended:
        error = _error_of(task)
        if error is not None:
            log.error("part failed", part=task.get_name(), problem=str(error))
            errors.append(error)
    for task in running:
        task.cancel()
        errors.append(
            RestartRequiredError(f"the {task.get_name()} did not stop within {STOP_SECONDS:g} s")
        )
    if errors:
        raise errors[0]


def _error_of(task: "asyncio.Task[None]") -> BaseException | None:
    if task.cancelled():  # by a client of its own: nobody here does before all were asked to stop
        return RestartRequiredError(f"the {task.get_name()} was cancelled: start this process anew")
    return task.exception()


async def _supervise(settings: Settings, role: str, workers: int, *, watch: bool) -> None:
    supervisor = Supervisor(
        worker_command(["--role", role, *(["--watch"] if watch else [])]),
        {**os.environ, **settings_environment(settings)},
        workers=workers,
        policy=RestartPolicy(),
        monotonic_seconds=time.monotonic,
    )
    hangup = signal.SIGHUP
    asyncio.get_running_loop().add_signal_handler(hangup, supervisor.pass_on, hangup)
    await supervisor.run(_stop_on_signals())


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def wall_clock_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
