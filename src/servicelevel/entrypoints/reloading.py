"""Reads the definitions anew while a worker runs: on SIGHUP, and when their files change."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from servicelevel.application.definitions import Definitions, Difference
from servicelevel.errors import DefinitionError, ServiceLevelError

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class ReloadCounters:
    """Since the start of the process: sets of definitions taken over, and refused."""

    taken: int = 0
    refused: int = 0


class Reloader:
    """Reads one set after another, and puts a good one in place of the one in force.

    It reads when `due` is set, by `read`, which is called in a thread and never twice at a time;
    what is asked for meanwhile is read after it, once.
    """

    def __init__(
        self, definitions: Definitions, read: Callable[[], Definitions], due: asyncio.Event
    ) -> None:
        self.counters = ReloadCounters()
        self._definitions = definitions
        self._read = read
        self._due = due

    async def run(self) -> None:
        """Read when asked to, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                read = await asyncio.to_thread(self._read)
            except Exception as error:  # whatever it is, what is in force goes on
                self._refuse(error)
            else:
                self._take(self._definitions.change_to(read))

    def _refuse(self, error: Exception) -> None:
        self.counters.refused += 1
        problems: tuple[str, ...] = (str(error),)
        if isinstance(error, DefinitionError):
            problems = error.problems
        elif not isinstance(error, ServiceLevelError):
            problems = (repr(error),)  # its text alone says little
        for problem in problems:
            log.error("definition refused", problem=problem)
        log.error(
            "the new definitions are not used, those before stay in force",
            problems=len(problems),
            refused=self.counters.refused,
        )

    def _take(self, difference: Difference | None) -> None:
        if difference is None:
            log.info("definitions read again, nothing has changed")
            return
        self.counters.taken += 1
        log.info(
            "definitions changed",
            added=difference.added,
            removed=difference.removed,
            changed=difference.changed,
            counted_from_now_on=difference.new,
            slos=len(self._definitions.catalogue.slos),
        )
        if difference.moved:
            log.warning(
                "objectives begin anew: with an SLO of another service over the same indicator, "
                "that is counted in another partition",
                objectives=difference.moved,
            )


async def keep_current(
    reloader: Reloader, due: asyncio.Event, watched: Iterable[Path], stop: asyncio.Event
) -> None:
    """Let the definitions be read until `stop` is set: when `due` is set, which is done here when
    one of the `watched` files and folders changes.

    Raises DependencyError if they cannot be watched.
    """
    changes = _watch(tuple(watched))
    works: list[Coroutine[Any, Any, object]] = [reloader.run(), stop.wait()]
    works += [_set_at(due, each) for each in changes]
    tasks = [asyncio.create_task(work) for work in works]
    if changes:
        await asyncio.sleep(0)  # now they are watched
        due.set()  # they may have changed since they were read
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in ended:
        task.result()


def _watch(paths: Sequence[Path]) -> list[AsyncIterator[None]]:
    if not paths:
        return []
    # Loaded when needed: it takes a tenth of a second of each start.
    from servicelevel.adapters.files.watching import changed_files, changed_folders

    folders = [path for path in paths if path.is_dir()]
    files = [path for path in paths if not path.is_dir()]
    changes = [changed_folders(folders)] if folders else []
    return changes + ([changed_files(files)] if files else [])


async def _set_at(due: asyncio.Event, changes: AsyncIterator[None]) -> None:
    async for _ in changes:
        due.set()
