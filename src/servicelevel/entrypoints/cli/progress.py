"""A bar on standard error while work goes on for long; nothing where that is no terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from servicelevel.application.ports import Meter, NoMeter

_A_MOMENT_S = 1.0
Seconds = Callable[[], float]


@contextmanager
def progress(err: TextIO, what: str, now: Seconds = time.monotonic) -> Iterator[Meter]:
    """A meter that shows itself once it has been at work for a moment, and goes at the end."""
    if not err.isatty():
        yield NoMeter()
        return
    bar = _Bar(err, what, now)
    try:
        yield bar
    finally:
        bar.stop()


class _Bar:
    def __init__(self, err: TextIO, what: str, now: Seconds) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(file=err),
            transient=True,
        )
        self._task = self._progress.add_task(what, total=None)
        self._now = now
        self._shown_from_s = now() + _A_MOMENT_S
        self._shown = False

    def expect(self, size: int | None) -> None:
        self._progress.update(self._task, total=size)

    def advance(self, size: int) -> None:
        self._progress.advance(self._task, size)
        if not self._shown and self._now() >= self._shown_from_s:
            self._shown = True
            self._progress.start()

    def stop(self) -> None:
        if self._shown:
            self._progress.stop()
