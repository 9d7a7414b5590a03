"""Runs a Faust app inside an event loop that others share."""

import asyncio
import contextlib

import faust

from servicelevel.errors import RestartRequiredError

STOP_TIMEOUT_S = 20.0


async def run_evaluator(
    app: faust.App, stop: asyncio.Event, *, stop_timeout_s: float = STOP_TIMEOUT_S
) -> None:
    """Start the app, and stop it when `stop` is set or it crashes. An app runs once.

    Raises:
        RestartRequiredError: the process must end, as that asked for it or did not stop in time.
        Exception: what the app crashed of.
    """
    starting = asyncio.create_task(app.start(), name="faust-start")
    try:
        await _first(starting, stop, app)
    finally:
        await _stop(app, starting, stop_timeout_s)
    if app.crash_reason is not None:
        raise app.crash_reason


async def _first(starting: "asyncio.Task[None]", stop: asyncio.Event, app: faust.App) -> None:
    """Return when `stop` is set or the app ends, and raise what its start raised."""
    ending = asyncio.create_task(app.wait_for_stopped(stop.wait()), name="faust-end")
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        await ending
    finally:
        ending.cancel()


async def _stop(app: faust.App, starting: "asyncio.Task[None]", timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await app.stop()
    except TimeoutError:
        raise RestartRequiredError(
            f"the evaluator did not stop within {timeout_s:g} s"
        ) from app.crash_reason
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
