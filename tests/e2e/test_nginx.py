"""nginx → access log → kcat → Kafka → servicelevel: the how-to page, with its own files.

The program, the nginx configuration and the definitions are taken from `docs/how-to/nginx.md`, so
that the page is true. The access log is the oracle: every count must be the count of its lines.
"""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from servicelevel.adapters.embedded.process import free_port
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, accepts_connections, wait_until

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "nginx.md"
LOAD_S = 150  # at most; it is stopped when everything was seen
START_S = 90
SEEN_S = 60
WARN_WITHIN_MS = 30_000  # event time from the first failure, on a machine that is slow to count
GOOD: dict[str, Callable[[dict[str, str]], bool]] = {
    "shop-availability": lambda line: int(line["status"]) < 500,
    "shop-ok": lambda line: line["status"] == "200",
    "shop-speed": lambda line: Decimal(line["request_time"]) * 1000 <= 20,
}


@dataclass
class Stack:
    """What runs, and how to look at it."""

    folder: Path
    kcat: str
    wrk: str
    broker: str
    prefix: str
    app_port: int
    nginx_port: int
    processes: dict[str, ManagedProcess]

    def get(self, path: str) -> int:
        """One request through nginx; its status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.nginx_port}{path}") as answer:
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    def switch(self, to: str) -> None:
        """Make the app `fail` or `heal`, past nginx."""
        url = f"http://127.0.0.1:{self.app_port}/switch/{to}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST")) as answer:
            assert answer.status == 200

    def records(self, topic: str) -> list[str]:
        """All values on a topic of ours."""
        argv = [self.kcat, "-C", "-e", "-q", "-b", self.broker, "-o", "beginning"]
        done = subprocess.run(
            [*argv, "-t", f"{self.prefix}{topic}"], capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode(errors="replace").split("\n")[:-1]

    def warnings(self, slo: str) -> list[dict[str, Any]]:
        """The warnings of an SLO about complete panes, without repeats, in order of time."""
        events = {e["id"]: e for e in map(json.loads, self.records("warnings"))}
        return sorted(
            (e for e in events.values() if e["data"]["slo"] == slo and not e["data"]["early"]),
            key=lambda e: str(e["time"]),
        )

    def statuses(self) -> dict[str, dict[str, Any]]:
        """The last status of each SLO."""
        return {e["data"]["slo"]: e["data"] for e in map(json.loads, self.records("status"))}

    def lines(self) -> list[dict[str, str]]:
        """The complete lines of the access log."""
        raw = (self.folder / "access.json").read_bytes().decode(errors="replace")
        return [json.loads(line) for line in raw[: raw.rfind("\n") + 1].split("\n") if line]

    def report(self) -> str:
        """The ends of all logs, and what was told last."""
        logs = [f"--- {name}\n{p.tail()}" for name, p in self.processes.items()]
        told = [f"--- {t}\n" + "\n".join(self.records(t)[-8:]) for t in ("warnings", "status")]
        return "\n".join(logs + told)


def time_ms(line: dict[str, str]) -> int:
    return int(Decimal(line["time"]) * 1000)


def moment_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def from_how_to(name: str) -> str:
    """A file of the how-to page."""
    found = re.search(
        rf"Save this as `{re.escape(name)}`.*?```\w+\n(.*?)```", HOW_TO.read_text("utf-8"), re.S
    )
    assert found, f"{name} is not in {HOW_TO}"
    return found[1]


@pytest.fixture
def stack(
    kafka: KafkaBroker, topic_prefix: str, program: Callable[[str], str], tmp_path: Path
) -> Iterator[Stack]:
    nginx, kcat, wrk = (program(name) for name in ("nginx", "kcat", "wrk"))
    program("tail")
    app_port, nginx_port = free_port(), free_port()
    folder = tmp_path / "shop"
    (folder / "tmp").mkdir(parents=True)
    for name in ("app.py", "nginx.conf", "shop.yaml"):
        text = from_how_to(name)
        if name == "nginx.conf":
            text = text.replace(":8000", f":{app_port}").replace(":8080", f":{nginx_port}")
        (folder / name).write_text(text, "utf-8")
    (folder / "access.json").touch()

    environment = {
        "SERVICELEVEL_BROKERS": kafka.address,
        "SERVICELEVEL_DEFINITIONS": "shop.yaml",
        "SERVICELEVEL_MAPPINGS": "requests=nginx",
        "SERVICELEVEL_ALLOWED_LATENESS_MS": "1000",
        "SERVICELEVEL_IDLE_TIMEOUT_MS": "1000",
        "SERVICELEVEL_TOPIC_PREFIX": topic_prefix,
        "SERVICELEVEL_GROUP": f"{topic_prefix}servicelevel",
    }
    command = [sys.executable, "-m", "servicelevel"]
    processes: dict[str, ManagedProcess] = {}
    with ExitStack() as running:

        def start(name: str, *argv: str | Path) -> ManagedProcess:
            process = ManagedProcess(argv, log=folder / f"{name}.log", env=environment, cwd=folder)
            processes[name] = running.enter_context(process)
            return process

        made = start("topics", *command, "topics", "create")
        assert made.wait(START_S) == 0, made.tail()
        app = start("app", sys.executable, "app.py", str(app_port))
        app.until(lambda: accepts_connections(app_port), START_S, what="the app listens")
        server = start("nginx", nginx, "-p", folder, "-c", "nginx.conf", "-e", "error.log")
        server.until(lambda: accepts_connections(nginx_port), START_S, what="nginx listens")
        start("worker", *command, "run")
        to_kafka = 'tail -n +1 -F --pid="$(cat nginx.pid)" access.json | "$0" "$@"'
        producer = [kcat, "-P", "-b", kafka.address, "-t", f"{topic_prefix}requests"]
        start("kcat", "sh", "-c", to_kafka, *producer, "-X", "enable.idempotence=true")
        yield Stack(
            folder,
            kcat,
            wrk,
            kafka.address,
            topic_prefix,
            app_port,
            nginx_port,
            processes,
        )


def test_a_failing_shop_pages_and_every_line_is_counted(stack: Stack) -> None:
    try:
        _run(stack)
    except BaseException:
        print(stack.report())
        raise


def _run(stack: Stack) -> None:
    worker = stack.processes["worker"]
    worker.until(lambda: stack.records("counts"), START_S, what="a claim on counts")

    url = f"http://127.0.0.1:{stack.nginx_port}/"
    load = ManagedProcess(
        [stack.wrk, "-t1", "-c8", f"-d{LOAD_S}s", url], log=stack.folder / "wrk.log"
    )
    with load:
        worker.until(
            lambda: stack.statuses().get("shop-availability", {}).get("total", 0) > 0,
            SEEN_S,
            what="a status with requests",
        )
        assert stack.get("/missing") == 404
        assert stack.get("/%ff") == 404  # nginx writes this path as a byte that is no UTF-8
        assert stack.warnings("shop-availability") == []

        stack.switch("fail")
        worker.until(
            lambda: stack.warnings("shop-availability"), SEEN_S, what="a warning after failures"
        )
        stack.switch("heal")
        worker.until(
            lambda: _states(stack)[-1] == "resolved", SEEN_S, what="the warning's resolution"
        )
        load.send_signal(signal.SIGINT)
        load.wait(SEEN_S)

    _warnings_tell_what_happened(stack)
    _every_line_is_counted(stack)
    stack.processes["nginx"].stop()
    assert stack.processes["kcat"].wait(SEEN_S) == 0  # tail ends with nginx, kcat with tail
    assert len(stack.records("requests")) == len(stack.lines())
    assert stack.records("dead-letter") == []


def _states(stack: Stack) -> list[str]:
    return [event["data"]["state"] for event in stack.warnings("shop-availability")]


def _warnings_tell_what_happened(stack: Stack) -> None:
    first, *_, last = events = stack.warnings("shop-availability")
    failed_ms = min(time_ms(line) for line in stack.lines() if line["status"] == "503")
    assert first["type"] == "servicelevel.warning.raised"
    assert last["type"] == "servicelevel.warning.resolved"
    assert {event["data"]["severity"] for event in events} == {"page"}
    assert {event["data"]["service"] for event in events} == {"shop"}
    assert {event["data"]["rule"] for event in events} == {"1m/5s"}
    assert len({event["data"]["alert_id"] for event in events}) == 1
    assert failed_ms <= moment_ms(first["time"]) <= failed_ms + WARN_WITHIN_MS
    assert first["data"]["burn_rate_short"] > 3
    assert "status_code=503" in first["data"]["evidence"]["dimensions"]
    assert moment_ms(last["time"]) >= max(
        time_ms(line) for line in stack.lines() if line["status"] == "503"
    )


def _every_line_is_counted(stack: Stack) -> None:
    """A trickle of requests moves the time on until the load's last pane is told.

    It also pushes the last lines of the load through kcat, which reads blocks of 1 KiB.
    """
    loaded = stack.lines()
    end_ms = max(map(time_ms, loaded))
    assert len(loaded) > 1_000

    def counted() -> bool:
        stack.get("/")
        statuses = stack.statuses()
        return all(
            slo in statuses
            and moment_ms(statuses[slo]["at"]) >= end_ms
            and _told(statuses[slo]) == _expected(stack, slo, statuses[slo])
            for slo in GOOD
        )

    try:
        wait_until(counted, SEEN_S, what="the counts of the access log", interval=0.3)
    except TimeoutError:
        told = stack.statuses()
        seen = {slo: (_told(s), _expected(stack, slo, s), s["at"]) for slo, s in told.items()}
        pytest.fail(f"told, expected (good, total), at: {seen}; the load ended at {end_ms}")
    codes = {line["status"] for line in loaded}
    assert {"200", "404", "503"} <= codes


def _told(status: dict[str, Any]) -> tuple[int, int]:
    return status["good"], status["total"]


def _expected(stack: Stack, slo: str, status: dict[str, Any]) -> tuple[int, int]:
    at_ms = moment_ms(status["at"])
    lines = [line for line in stack.lines() if time_ms(line) <= at_ms]
    return sum(map(GOOD[slo], lines)), len(lines)
