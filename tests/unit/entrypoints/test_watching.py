"""A worker that stands still is ended with what it waits for; one that works is left alone."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from servicelevel.application.vitals import CombinerVitals, SourceVitals, Vitals
from servicelevel.entrypoints.watching import watch
from servicelevel.errors import RestartRequiredError

BLOCKED = """
import asyncio, time
from servicelevel.application.vitals import Vitals
from servicelevel.entrypoints.watching import watch

async def main() -> None:
    watching = asyncio.create_task(
        watch(Vitals(), asyncio.Event(), time.monotonic, limit_seconds=1, interval_seconds=0.1)
    )
    await asyncio.sleep(0.2)
    time.sleep(60)  # blocks the loop
    await watching

asyncio.run(main())
"""


def clock(step_seconds: float) -> Iterator[float]:
    """Goes on by a step with each look."""
    at = 0.0
    while True:
        at += step_seconds
        yield at


async def test_a_stall_ends_the_worker_and_names_what_waits() -> None:
    vitals = Vitals(CombinerVitals(sources={"requests/0": SourceVitals(7, 3)}))
    times = clock(20)
    waiting = asyncio.create_task(asyncio.Event().wait(), name="the-culprit")
    with capture_logs() as logs, pytest.raises(RestartRequiredError) as caught:
        await watch(
            vitals, asyncio.Event(), lambda: next(times), limit_seconds=60, interval_seconds=0
        )
    waiting.cancel()
    assert "reading requests/0: nothing done for 80 s, 3 waiting" in str(caught.value)
    culprit = next(line for line in logs if line.get("name") == "the-culprit")
    assert any(" wait" in place for place in culprit["waits_at"])


async def test_a_worker_that_works_is_watched_until_it_stops() -> None:
    vitals, stop, looks = CombinerVitals(), asyncio.Event(), 0

    def now() -> float:
        nonlocal looks
        looks += 1
        vitals.sources = {"requests/0": SourceVitals(looks, 3)}
        if looks == 20:
            stop.set()
        return looks * 50.0

    await watch(Vitals(vitals), stop, now, limit_seconds=60, interval_seconds=0)
    assert looks == 20


def test_a_loop_that_does_not_turn_ends_the_process_with_its_stacks() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=50, check=False
    )
    assert ended.returncode == 1
    assert "Timeout" in ended.stderr
    assert "in main" in ended.stderr
