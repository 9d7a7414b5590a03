"""The supervisor with small scripts in the place of workers."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from servicelevel.application.supervision import RestartPolicy
from servicelevel.entrypoints.supervisor import Supervisor, settings_environment
from servicelevel.errors import DependencyError
from servicelevel.settings_file import load_settings
from tests.services.process import wait_until_async

QUICK = RestartPolicy(first_delay_seconds=0.01, max_delay_seconds=0.05, max_failures=4)
WITHIN_S = 60

STAYS = "import time\ntime.sleep(600)"
ASKS_TWICE_THEN_STAYS = f"""
if len(list(folder.glob(f"{{number}}-*"))) <= 2:
    sys.exit(75)
{STAYS}
"""
NOTES_SIGTERM = f"""
import signal
def noted(*_):
    (folder / "asked").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, noted)
(folder / "ready").touch()
{STAYS}
"""


NOTES_EACH_SIGHUP = """
import signal, time
def noted(*_):
    seen = len(list(folder.glob(f"hung-up-{number}-*")))
    (folder / f"hung-up-{number}-{seen}").touch()
signal.signal(signal.SIGHUP, noted)
(folder / f"ready-{number}").touch()
while True: time.sleep(600)
"""


class Workers:
    """A supervisor of scripts; each start leaves a file `number-pid` in the folder."""

    def __init__(
        self, folder: Path, script: str, count: int = 1, policy: RestartPolicy = QUICK
    ) -> None:
        self.folder = folder
        body = (
            "import os, sys\nfrom pathlib import Path\n"
            f"folder = Path({str(folder)!r})\n"
            'number = os.environ["SERVICELEVEL_WORKER"]\n'
            '(folder / f"{number}-{os.getpid()}").touch()\n'
        )
        self._supervisor = Supervisor(
            [sys.executable, "-c", body + script],
            os.environ,
            workers=count,
            policy=policy,
            monotonic_seconds=time.monotonic,
        )
        self.stop = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            await self._supervisor.run(self.stop)

    def hang_up(self) -> None:
        self._supervisor.pass_on(signal.SIGHUP)

    def started(self, number: int = 0) -> list[int]:
        """The process ids of all starts of a worker."""
        return [int(p.name.partition("-")[2]) for p in self.folder.glob(f"{number}-*")]

    def running(self) -> list[int]:
        return [
            int(path.name.partition("-")[2])
            for path in self.folder.glob("?-*")
            if Path(f"/proc/{path.name.partition('-')[2]}").exists()
        ]


async def until_started(workers: Workers, times: int, number: int = 0) -> None:
    await wait_until_async(
        lambda: len(workers.started(number)) >= times, WITHIN_S, what=f"{times} starts"
    )


async def test_a_worker_that_asks_for_it_is_started_again_until_it_stays(tmp_path: Path) -> None:
    workers = Workers(tmp_path, ASKS_TWICE_THEN_STAYS)
    running = asyncio.create_task(workers.run())
    await until_started(workers, 3)
    workers.stop.set()
    await running
    assert len(workers.started()) == 3
    assert workers.running() == []


async def test_a_killed_worker_is_started_again_and_the_others_stay(tmp_path: Path) -> None:
    workers = Workers(tmp_path, STAYS, count=2)
    running = asyncio.create_task(workers.run())
    await until_started(workers, 1, number=0)
    await until_started(workers, 1, number=1)
    os.kill(workers.started(0)[0], 9)
    await until_started(workers, 2, number=0)
    assert len(workers.started(1)) == 1
    workers.stop.set()
    await running
    assert workers.running() == []


async def test_a_worker_that_always_fails_is_given_up_loudly(tmp_path: Path) -> None:
    script = f'sys.exit(1) if number == "0" else None\n{STAYS}'
    workers = Workers(tmp_path, script, count=2)
    with pytest.raises(DependencyError, match="worker 0 ended with exit code 1"):
        await workers.run()
    assert len(workers.started(0)) == QUICK.max_failures
    assert workers.running() == []  # the other one was stopped


async def test_a_worker_that_always_asks_to_be_started_anew_is_given_up_too(
    tmp_path: Path,
) -> None:
    workers = Workers(tmp_path, "sys.exit(75)")
    with pytest.raises(DependencyError, match="exit code 75"):
        await workers.run()
    assert len(workers.started()) == QUICK.max_failures


@pytest.mark.parametrize("code", [0, 2])
async def test_an_end_that_would_repeat_itself_is_final(tmp_path: Path, code: int) -> None:
    workers = Workers(tmp_path, f"sys.exit({code})")
    with pytest.raises(DependencyError, match=f"exit code {code}"):
        await workers.run()
    assert len(workers.started()) == 1


async def test_workers_are_asked_to_stop_before_they_are_killed(tmp_path: Path) -> None:
    workers = Workers(tmp_path, NOTES_SIGTERM)
    running = asyncio.create_task(workers.run())
    await wait_until_async((tmp_path / "ready").exists, WITHIN_S, what="the handler")
    workers.stop.set()
    await running
    assert (tmp_path / "asked").exists()
    assert workers.running() == []


async def test_a_hangup_is_passed_on_to_each_worker_that_runs(tmp_path: Path) -> None:
    workers = Workers(tmp_path, NOTES_EACH_SIGHUP, count=2)
    running = asyncio.create_task(workers.run())
    for count in (1, 2):
        for number in (0, 1):
            await wait_until_async(
                (tmp_path / f"ready-{number}").exists, WITHIN_S, what="the handler"
            )
        workers.hang_up()
        for number in (0, 1):
            await wait_until_async(
                (tmp_path / f"hung-up-{number}-{count - 1}").exists, WITHIN_S, what="a hangup"
            )
    assert [len(workers.started(number)) for number in (0, 1)] == [1, 1]
    workers.stop.set()
    await running
    workers.hang_up()  # of nobody: no error
    assert workers.running() == []


async def test_a_stop_while_a_worker_waits_to_be_started_again_ends_at_once(
    tmp_path: Path,
) -> None:
    policy = RestartPolicy(first_delay_seconds=3_600, max_delay_seconds=3_600)
    workers = Workers(tmp_path, "sys.exit(1)", policy=policy)
    running = asyncio.create_task(workers.run())
    await until_started(workers, 1)
    await wait_until_async(lambda: not workers.running(), WITHIN_S, what="its end")
    workers.stop.set()
    await running
    assert len(workers.started()) == 1


def test_a_worker_has_the_settings_of_its_supervisor() -> None:
    environ = {
        "SERVICELEVEL_BROKERS": "elsewhere:9092",
        "SERVICELEVEL_REDIS_URL": "redis://:secret@127.0.0.1/0",
        "SERVICELEVEL_PARTITIONS": "8",
    }
    options = {
        "brokers": "127.0.0.1:9092",  # the default, and not what the variable says
        "request_topics": ("a", "b"),
        "mappings": {"a": "a.yaml"},
        "early": False,
    }
    settings = load_settings(environ, options=options)
    assert load_settings({**environ, **settings_environment(settings)}) == settings
