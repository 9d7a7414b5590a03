"""What every command is given: settings on demand, where to print, and the parts it may call."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeVar

import typer

from servicelevel.application.compare import SloDifference
from servicelevel.application.mirror import StatusReader
from servicelevel.application.ports import WallClock
from servicelevel.entrypoints.logging import configure_logging
from servicelevel.entrypoints.replay_request import ReplayRequest
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings

_T = TypeVar("_T")


class Demo(Protocol):
    """Shows the demo; the exit code. See `servicelevel.entrypoints.demo.run`."""

    def __call__(
        self,
        for_seconds: float | None,
        broker: str | None,
        redis_url: str | None,
        *,
        out: TextIO,
    ) -> int: ...


@dataclass(frozen=True)
class Parts:
    """What the commands need from outside; tests give others."""

    environ: Mapping[str, str]
    out: TextIO
    err: TextIO
    clock: WallClock
    open_reader: Callable[[Settings], AbstractAsyncContextManager[StatusReader]]
    ping_redis: Callable[[Settings], Awaitable[None]]
    topic_problems: Callable[[Settings], Awaitable[list[str]]]
    create_topics: Callable[[Settings], Awaitable[list[str]]]
    slow_client: Callable[[], str | None]
    run: Callable[[Settings, str, int, bool], int]
    replay: Callable[[ReplayRequest, TextIO], object]
    compare: Callable[[ReplayRequest, Sequence[Path]], list[SloDifference]]
    demo: Demo


@dataclass
class Session:
    """One call of the command."""

    parts: Parts
    file: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        """The settings in force; logging follows them. Raises `SettingsError`."""
        settings = load_settings(self.parts.environ, self.file, self.options)
        configure_logging(settings, self.parts.err)
        return settings

    def print(self, text: str) -> None:
        """A line on standard output."""
        self.parts.out.write(text + "\n")

    def wait(self, work: Awaitable[_T]) -> _T:
        """Run what needs an event loop."""

        async def awaited() -> _T:
            return await work

        return asyncio.run(awaited())


def session_of(context: typer.Context) -> Session:
    """The session of a command's context."""
    found: Session = context.obj
    return found
