"""Ends a worker that stands still although there is input, and says what it waited for.

Two ways to stand still need two watchers: work that waits for what never comes is seen from the
event loop; a loop that does not turn is seen by a thread of the interpreter, armed anew each turn.
"""

import asyncio
import faulthandler
from collections.abc import Callable
from typing import Any

import structlog

from servicelevel.application.vitals import Vitals
from servicelevel.application.watchdog import Stall, Watchdog
from servicelevel.errors import RestartRequiredError

STDERR = 2
log = structlog.get_logger(__name__)


async def watch(
    vitals: Vitals,
    stop: asyncio.Event,
    monotonic_seconds: Callable[[], float],
    *,
    limit_seconds: float,
    interval_seconds: float = 2.0,
) -> None:
    """Look at the vitals until `stop` is set.

    Raises RestartRequiredError when something stands still for longer than the limit, with all
    tasks in the log. A loop that is blocked for so long ends the process at once, with the stacks
    of all threads on standard error and exit code 1.
    """
    watchdog = Watchdog(limit_seconds)
    try:
        while not stop.is_set():
            faulthandler.dump_traceback_later(limit_seconds, exit=True, file=STDERR)
            if vitals.evaluator is not None:
                await _look(vitals.evaluator.look)
            stalls = watchdog.stalls(vitals.works(), monotonic_seconds())
            if stalls:
                raise _stood_still(stalls)
            await _wait(stop, interval_seconds)
    finally:
        faulthandler.cancel_dump_traceback_later()


async def _look(look: Callable[[], Any]) -> None:
    try:
        await look()
    except Exception as error:  # whatever it is, the clients tell of it themselves
        log.debug("it is not known how much waits on counts", problem=repr(error))


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass


def _stood_still(stalls: list[Stall]) -> RestartRequiredError:
    for task in asyncio.all_tasks():
        log.error("task", name=task.get_name(), waits_at=_where(task))
    said = "; ".join(
        f"{stall.name}: nothing done for {stall.seconds:.0f} s, {stall.waiting} waiting"
        for stall in stalls
    )
    return RestartRequiredError(f"no progress ({said}): start this process anew")


def _where(task: "asyncio.Task[Any]") -> list[str]:
    frames = task.get_stack()
    return [f"{f.f_code.co_filename}:{f.f_lineno} {f.f_code.co_name}" for f in frames]
