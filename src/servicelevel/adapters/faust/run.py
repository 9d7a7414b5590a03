"""Runs a Faust app inside an event loop that others share."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import faust
from aiokafka.errors import KafkaError

from servicelevel.errors import DependencyError, RestartRequiredError

STOP_TIMEOUT_S = 20.0


async def run_evaluator(
    app: faust.App, stop: asyncio.Event, *, stop_timeout_s: float = STOP_TIMEOUT_S
) -> None:
    """Start the app, and stop it when `stop` is set or it crashes. An app runs once.

    Raises:
        DependencyError: the brokers cannot be reached at the start.
        RestartRequiredError: the process must end and be started anew.
        Exception: what else the app crashed of.
    """
    starting = asyncio.create_task(app.start(), name="faust-start")
    try:
        await _first(starting, stop, app)
    finally:
        try:
            await _stop(app, starting, stop_timeout_s)
        finally:
            remove_empty((app.conf.tabledir, app.conf.appdir, app.conf.datadir))
    if isinstance(app.crash_reason, KafkaError):
        raise RestartRequiredError(
            f"the evaluator lost its brokers ({app.crash_reason!r}): start this process anew"
        ) from app.crash_reason
    if app.crash_reason is not None:
        raise app.crash_reason


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders that Faust makes and that nothing is ever put into, innermost first."""
    for folder in folders:
        with suppress(OSError):  # gone, or another process of the group is in it
            Path(folder).rmdir()


async def _first(starting: "asyncio.Task[None]", stop: asyncio.Event, app: faust.App) -> None:
    """Return when `stop` is set or the app ends, and raise what its start raised."""
    ending = asyncio.create_task(app.wait_for_stopped(stop.wait()), name="faust-end")
    try:
        await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            _started(starting, app)
        await ending
    finally:
        ending.cancel()


def _started(starting: "asyncio.Task[None]", app: faust.App) -> None:
    try:
        starting.result()
    except KafkaError as error:
        raise DependencyError(
            f"the brokers {app.conf.broker} cannot be used ({error!r}): start them, or name others "
            "with SERVICELEVEL_BROKERS or --brokers"
        ) from error


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
        await asyncio.wait((starting,))  # what it raised is told above
