"""Child processes with their output kept, and waiting on conditions instead of sleeping."""

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

INTERVAL_S = 0.05
TAIL_LINES = 40


def wait_until(
    condition: Callable[[], T], timeout: float, *, what: str = "", interval: float = INTERVAL_S
) -> T:
    """The first true result of `condition`; TimeoutError naming `what` after `timeout` seconds.

    OSErrors of the condition (nothing listens yet) count as "not yet".
    """
    deadline = time.monotonic() + timeout
    last: Exception | None = None
    while True:
        try:
            if result := condition():
                return result
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            raise TimeoutError(_not_seen(what, timeout, last))
        time.sleep(interval)


async def wait_until_async(
    condition: Callable[[], Awaitable[T] | T],
    timeout: float,
    *,
    what: str = "",
    interval: float = INTERVAL_S,
) -> T:
    """As `wait_until`, for code in an event loop; the condition may be a coroutine function."""
    deadline = time.monotonic() + timeout
    last: Exception | None = None
    while True:
        try:
            result = condition()
            if isinstance(result, Awaitable):
                result = await result
            if result:
                return result
        except OSError as error:
            last = error
        if time.monotonic() > deadline:
            raise TimeoutError(_not_seen(what, timeout, last))
        await asyncio.sleep(interval)


def _not_seen(what: str, timeout: float, last: Exception | None) -> str:
    return f"not seen within {timeout} s: {what or 'the condition'}" + (
        f" (last: {last!r})" if last else ""
    )


def accepts_connections(port: int) -> bool:
    """Whether something listens on 127.0.0.1:`port`."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class ManagedProcess:
    """A child in a process group of its own, stdout and stderr in one file.

    Use as a context manager, or call `stop`; both end the whole group.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """`env` is added to this process's environment; `log` is appended to."""
        self.argv = [str(part) for part in argv]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float) -> int:
        """The exit code; TimeoutError with the end of the log if it runs on."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.argv[0]} still runs\n{self.tail()}") from None

    def send_signal(self, number: signal.Signals) -> None:
        """To the whole group, e.g. SIGSTOP and SIGCONT."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL at once."""
        self.send_signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self, timeout: float = 10) -> int:
        """SIGTERM, and SIGKILL after `timeout` seconds; the exit code."""
        if self.poll() is None:
            self.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._popen.wait()

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def tail(self) -> str:
        """The last lines of output, for error messages."""
        return "\n".join(self.output().splitlines()[-TAIL_LINES:])

    def until(self, condition: Callable[[], object], timeout: float, *, what: str) -> None:
        """Wait for the condition; fails at once, with the log's end, if the process ends first."""

        def seen_or_ended() -> bool:
            return self.poll() is not None or bool(condition())

        try:
            wait_until(seen_or_ended, timeout, what=what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.tail()}") from None
        if self.poll() is not None and not condition():
            raise ChildProcessError(
                f"{self.argv[0]} ended with {self.poll()} before {what}\n{self.tail()}"
            )

    def until_output(self, text: str, timeout: float) -> None:
        """Wait until `text` stands in the output."""
        self.until(lambda: text in self.output(), timeout, what=f"{text!r} in its output")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
