"""Who ends by itself is started again, whatever steps do to others meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from tests.chaos.workers import Workers
from tests.services.process import wait_until_async


class Process:
    """Runs until its code is set."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9

    def send_signal(self, number: int) -> None:
        self.code = -number

    def wait(self, _: float) -> int | None:
        return self.code


class Started:
    """All that were started, by slot."""

    def __init__(self, log: Path) -> None:
        log.write_bytes(b"")
        self._log = log
        self.by_slot: dict[int, list[Process]] = {}

    def __call__(self, slot: int) -> Any:
        process = Process(self._log)
        self.by_slot.setdefault(slot, []).append(process)
        return cast(Any, process)


@pytest.fixture
def started(tmp_path: Path) -> Started:
    return Started(tmp_path / "log")


@asynccontextmanager
async def keeping(workers: Workers) -> AsyncIterator[None]:
    task = asyncio.create_task(workers.keep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ended(workers: Workers, process: Process) -> None:
    """It asks to be started anew, and that is seen."""
    process.code = 75
    before = sum(workers.restarts.values())

    async def is_noted() -> bool:
        return sum(workers.restarts.values()) > before

    await wait_until_async(is_noted, 10, what="the end noted", interval=0.01)


async def test_others_may_be_replaced_or_removed_while_it_waits(started: Started) -> None:
    workers = Workers(started, again_after_s=0.2)
    slots = [workers.add() for _ in range(3)]
    async with keeping(workers):
        await ended(workers, started.by_slot[slots[0]][0])
        await workers.kill(slots[1], 0)
        await workers.remove(slots[2])

        async def is_again() -> bool:
            return len(started.by_slot[slots[0]]) == 2

        await wait_until_async(is_again, 10, what="the first started again", interval=0.01)
        await ended(workers, started.by_slot[slots[1]][1])  # all others were looked at by then
    assert workers.unexpected == []
    assert workers.restarts == {75: 2}


async def test_one_that_a_step_has_started_is_not_started_twice(started: Started) -> None:
    workers = Workers(started, again_after_s=0.2)
    first, second = workers.add(), workers.add()
    async with keeping(workers):
        await ended(workers, started.by_slot[first][0])
        await workers.kill(first, 0)
        await ended(workers, started.by_slot[second][0])
    assert len(started.by_slot[first]) == 2
