"""`run --workers N`: N processes of one worker each, started again as far as that helps."""

import asyncio
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog
from pydantic import SecretStr

from servicelevel.application.supervision import RestartPolicy, WorkerHistory
from servicelevel.errors import DependencyError
from servicelevel.settings import Settings
from servicelevel.settings_file import PREFIX

STOP_GRACE_SECONDS = 30.0
log = structlog.get_logger(__name__)


class Supervisor:
    """Starts `command` once a worker, and each again until `stop` is set or it is given up."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        workers: int,
        policy: RestartPolicy,
        monotonic_seconds: Callable[[], float],
    ) -> None:
        self._command = tuple(command)
        self._environment = dict(environment)
        self._workers = workers
        self._policy = policy
        self._now = monotonic_seconds
        self._running: set[asyncio.subprocess.Process] = set()

    def pass_on(self, number: signal.Signals) -> None:
        """Send a signal to each worker that runs."""
        for process in self._running:
            with suppress(ProcessLookupError):  # it ended in this moment
                process.send_signal(number)

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when all workers have stopped as asked.

        Raises DependencyError if a worker fails again and again; the others are stopped first.
        """
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep(n, stop)) for n in range(self._workers)]
        failed = [error for keeper in keepers if (error := keeper.result()) is not None]
        if failed:
            raise failed[0]

    async def _keep(self, number: int, stop: asyncio.Event) -> DependencyError | None:
        history = WorkerHistory(self._policy)
        while not stop.is_set():
            started = self._now()
            code = await self._run_once(number, stop)
            if stop.is_set():
                break
            delay = history.delay_seconds(code, self._now() - started)
            if delay is None:
                stop.set()
                return DependencyError(
                    f"worker {number} ended with exit code {code} and is not started again: "
                    "its last log lines say why"
                )
            log.warning("worker ended, starting it again", worker=number, exit_code=code)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
        return None

    async def _run_once(self, number: int, stop: asyncio.Event) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command, env={**self._environment, "SERVICELEVEL_WORKER": str(number)}
        )
        self._running.add(process)
        log.info("worker started", worker=number, pid=process.pid)
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not ended.done():
                await _end(process, ended)
            self._running.discard(process)
        return ended.result()


async def _end(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    process.send_signal(signal.SIGTERM)
    done, _ = await asyncio.wait((ended,), timeout=STOP_GRACE_SECONDS)
    if not done:
        log.error("worker did not stop in time, killing it", pid=process.pid)
        process.kill()
        await ended


def worker_command(arguments: Sequence[str]) -> tuple[str, ...]:
    """The command line of one worker of its own process."""
    return (sys.executable, "-m", "servicelevel", "run", *arguments)


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings as variables, so that a worker has the same; secrets stay in the environment.

    All that are given, also where they say what is the default: a variable may say otherwise.
    """
    values = settings.model_dump(exclude_unset=True, exclude_none=True)
    return {PREFIX + key.upper(): _variable(value) for key, value in values.items()}


def _variable(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, tuple | list):
        return ",".join(str(item) for item in value)
    return str(value)
