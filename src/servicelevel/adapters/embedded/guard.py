"""Runs one command, and sees that nothing of it outlives whoever asked for it.

Started as a script of its own (standard library only, no site packages), with a pipe as standard
input whose other end the caller holds. When the pipe closes, however the caller ended, the
command is asked to stop, then killed, and its working folder (a temporary one) is removed.

Usage: `guard.py GRACE_SECONDS COMMAND ARG…`. Ends with the command's exit code.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
from types import FrameType


def main(arguments: list[str]) -> int:
    """Hold the command until it ends, standard input closes, or SIGTERM comes."""
    grace_s, command = float(arguments[0]), arguments[1:]
    asked_to_stop, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the caller's to act on
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, _wake_up)
    with tempfile.TemporaryDirectory(prefix="servicelevel-", ignore_cleanup_errors=True) as folder:
        child = subprocess.Popen(  # noqa: S603 -- the command is the caller's own
            command,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "TMPDIR": folder},
            start_new_session=True,
        )
        try:
            _wait_for_end(child, asked_to_stop)
        finally:
            _stop(child, grace_s)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wake_up(_number: int, _frame: FrameType | None) -> None:
    """The wake-up pipe carries the number; nothing is left to do here."""


def _wait_for_end(child: "subprocess.Popen[bytes]", asked_to_stop: int) -> None:
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno(), asked_to_stop], [], [])
        if sys.stdin.fileno() in readable and not os.read(sys.stdin.fileno(), 1024):
            return
        if asked_to_stop in readable:
            numbers = os.read(asked_to_stop, 1024)
            if signal.SIGTERM in numbers or signal.SIGHUP in numbers:
                return


def _stop(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Ask, wait, kill; whatever the command started in its session goes with it."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # nothing was left
    except PermissionError:
        pass  # macOS says so where only zombies are left


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
