"""Starts a program that ends with this process, whatever happens to this process."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from servicelevel.adapters.embedded import guard
from servicelevel.errors import DependencyError

STOP_GRACE_S = 3.0
READY_TIMEOUT_S = 20.0
_POLL_S = 0.02
_STARTS = 3  # a free port may be taken by another program between choosing and listening

Process = subprocess.Popen[bytes]


@contextmanager
def guarded(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
    grace_s: float = STOP_GRACE_S,
) -> Iterator[Process]:
    """Run `command` in a temporary folder; it is stopped, and the folder removed, at the end.

    A guard process holds it (see `guard`): closing the pipe to the guard is what stops it, so a
    caller that is killed leaves nothing behind either. The process yielded is the guard's; it
    ends when the command does, with the same exit code. `log` takes the command's output
    (nothing is kept without it); `env` is the whole environment (this process's without it).
    """
    process = subprocess.Popen(  # noqa: S603 -- our own guard, and a command the caller chose
        [sys.executable, "-I", "-S", guard.__file__, str(grace_s), *command],
        stdin=subprocess.PIPE,
        stdout=log or subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        env=dict(os.environ if env is None else env),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process, grace_s)


def stop(process: Process, grace_s: float = STOP_GRACE_S) -> int:
    """Stop what `guarded` started and return its exit code; harmless when it has ended."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()
    try:
        return process.wait(grace_s + READY_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def guarded_server(
    name: str,
    command_for: Callable[[int], Sequence[str]],
    is_ready: Callable[[int], bool],
    *,
    timeout_s: float = READY_TIMEOUT_S,
) -> Iterator[int]:
    """Run a server on a free port of 127.0.0.1 and yield the port once `is_ready(port)`.

    Raises DependencyError if the server ends or is not ready in time; the message has what it
    printed last.
    """
    printed = ""
    for _ in range(_STARTS):
        port = free_port()
        # A file without a name: none is left however this process ends.
        with TemporaryFile() as log, guarded(command_for(port), log=log) as process:
            deadline = time.monotonic() + timeout_s
            while process.poll() is None and time.monotonic() < deadline:
                if is_ready(port):
                    yield port
                    return
                time.sleep(_POLL_S)
            printed = tail(log)
            if process.poll() is None:
                break
    raise DependencyError(
        f"the embedded {name} did not get ready in {timeout_s:g} s; it printed: {printed or '-'}"
    )


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, request: bytes, expected: Callable[[bytes], bool]) -> bool:
    """Whether what listens on `port` of 127.0.0.1 answers `request` as expected."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(request)
            return expected(connection.recv(4096))
    except OSError:
        return False


def executable(path: Path, package: str) -> str:
    """The path as text; raises DependencyError if the file there cannot be run."""
    if path.is_file() and os.access(path, os.X_OK):
        return str(path)
    raise DependencyError(f"{path} of {package} cannot be run: install {package} again")


def tail(log: IO[bytes], size: int = 2_000) -> str:
    """The end of what a program has printed."""
    end = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), size, max(0, end - size)).decode(errors="replace").strip()
