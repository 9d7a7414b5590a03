"""Every command at a real system: what it prints in each format, and its exit code."""

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from servicelevel.adapters.embedded.process import free_port
from servicelevel.adapters.embedded.valkey import embedded_valkey
from tests.builders.availability import availability
from tests.e2e.system import System
from tests.e2e.topics import produce
from tests.services.process import ManagedProcess, accepts_connections
from tests.services.redis_server import system_redis
from tests.services.requirements import need_program

SEEN_S = 90
STOP_S = 30
FINE, NOT_FINE, WRONG_USE, OUT_OF_REACH = 0, 1, 2, 3

DEFINITIONS = "---\n".join(
    availability(service, 0.99, display_name="Ok") for service in ("basket", "checkout")
)


@dataclass(frozen=True)
class Services:
    """Where Kafka and Redis are."""

    broker: str
    redis_url: str


@pytest.fixture(params=["embedded", pytest.param("real", marks=pytest.mark.real)])
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """The embedded broker with the embedded Redis, and the real ones."""
    if request.param == "embedded":
        with embedded_valkey() as url:
            yield Services(request.getfixturevalue("embedded_address"), url)
        return
    with system_redis(need_program("redis-server")) as url:
        yield Services(request.getfixturevalue("kafka").address, url)


@pytest.fixture
def system(services: Services, topic_prefix: str, tmp_path: Path) -> System:
    """Topics are not made yet."""
    return make_system(services, topic_prefix, tmp_path)


def make_system(services: Services, prefix: str, folder: Path) -> System:
    settings = {"SERVICELEVEL_REDIS_URL": services.redis_url, "SERVICELEVEL_IDLE_TIMEOUT_MS": "500"}
    return System(services.broker, prefix, folder, DEFINITIONS, settings)


NOBODY = {"SERVICELEVEL_BROKERS": "127.0.0.1:1", "SERVICELEVEL_REDIS_URL": "redis://127.0.0.1:1/0"}


def events(now: int) -> list[bytes]:
    """Ten minutes of both services up to now; of checkout each second request fails."""
    return [
        json.dumps(
            {
                "id": f"{service}-{number}",
                "time": now - 600_000 + number * 1_000,
                "service": service,
                "status_code": 503 if service == "checkout" and number % 2 else 200,
            }
        ).encode()
        for number in range(600)
        for service in ("basket", "checkout")
    ]


async def send(system: System, values: list[bytes]) -> None:
    records = [(number % 4, value) for number, value in enumerate(values)]
    await produce(system.broker, system.prefix + "requests", records)


def printed(system: System, *arguments: str) -> list[dict[str, Any]]:
    """What a command prints as `json`."""
    found: list[dict[str, Any]] = json.loads(system.call(*arguments, "--format", "json"))
    return found


def all_counted(system: System, total: int) -> bool:
    statuses = printed(system, "status")
    return len(statuses) == 2 and all(status["total"] == total for status in statuses)


def settled(system: System) -> list[dict[str, Any]]:
    """The statuses without what goes on with the time: they change as windows move."""
    kept = ("slo", "objective", "service", "group", "good", "total", "target", "state", "severity")
    return [{name: status[name] for name in kept} for status in printed(system, "status")]


def test_topics_and_doctor_say_what_is_missing(system: System) -> None:
    checked = system.ask("topics", "check")
    assert checked.returncode == NOT_FINE
    assert f"topic {system.prefix}requests is missing" in checked.stdout
    told = system.ask("doctor")
    assert told.returncode == NOT_FINE
    assert f"{system.prefix}counts is missing" in told.stdout

    created = system.call("topics", "create").splitlines()
    assert f"created {system.prefix}requests" in created
    assert created[-1] == "the topics are fine"
    assert system.call("topics", "create").splitlines() == ["the topics are fine"]
    assert system.call("topics", "check").splitlines() == ["the topics are fine"]

    results = {r["what"]: r for r in printed(system, "doctor")}
    assert {what for what, r in results.items() if r["fine"] is not True} == set()
    assert {"brokers", "topics", "Redis", "definitions"} <= set(results)
    lines = system.call("doctor", "--format", "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == printed(system, "doctor")

    other = system.ask("topics", "check", SERVICELEVEL_COUNTS_PARTITIONS="8")
    assert other.returncode == NOT_FINE
    assert "8" in other.stdout
    assert f"{system.prefix}counts" in other.stdout


def test_what_cannot_be_reached_is_told_with_3(system: System) -> None:
    for arguments in (("topics", "check"), ("topics", "create"), ("status",), ("alerts",)):
        done = system.ask(*arguments, **NOBODY)
        assert done.returncode == OUT_OF_REACH, (arguments, done)
        assert done.stderr.startswith("servicelevel: "), done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
    told = system.ask("doctor", **NOBODY)
    assert told.returncode == OUT_OF_REACH
    assert "!!  brokers" in told.stdout
    assert "!!  Redis" in told.stdout
    done = system.ask("run", **NOBODY)
    assert done.returncode == OUT_OF_REACH
    last = done.stderr.splitlines()[-1]
    assert last.startswith("servicelevel: ")
    assert "127.0.0.1:1" in last
    assert "SERVICELEVEL_BROKERS" in last


async def test_status_and_alerts_in_every_format(system: System) -> None:
    system.call("topics", "create")
    assert printed(system, "status") == []
    assert "No status yet" in system.call("status")
    assert system.call("alerts") == "No open alerts.\n"
    now = time.time_ns() // 1_000_000
    values = events(now)
    await send(system, values)

    with system.worker() as worker:
        worker.until(lambda: all_counted(system, 600), SEEN_S, what="all counted")
        worker.until(lambda: len(printed(system, "alerts")) == 2, SEEN_S, what="open alerts")
        assert worker.stop(STOP_S) == 0, worker.tail()

    statuses = {status["slo"]: status for status in printed(system, "status")}
    assert (statuses["basket-ok"]["good"], statuses["basket-ok"]["state"]) == (600, "ok")
    assert statuses["checkout-ok"]["good"] == 300
    assert statuses["checkout-ok"]["state"] == "breached"
    assert statuses["checkout-ok"]["error_budget"]["consumed"] == 300
    lines = system.call("status", "--format", "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == printed(system, "status")
    table = system.call("status").splitlines()
    assert table[0].split()[:5] == ["SLO", "OBJECTIVE", "GROUP", "STATE", "SLI"]
    assert [row.split()[0] for row in table[1:]] == ["basket-ok", "checkout-ok"]
    assert "50.000 %" in table[2]
    assert [s["slo"] for s in printed(system, "status", "--slo", "basket-ok")] == ["basket-ok"]
    assert [s["slo"] for s in printed(system, "status", "--service", "basket")] == ["basket-ok"]
    assert printed(system, "status", "--slo", "no-such-slo") == []

    alerts = printed(system, "alerts")
    assert {alert["slo"] for alert in alerts} == {"checkout-ok"}
    assert {alert["kind"] for alert in alerts} == {"warning", "breach"}
    assert {alert["state"] for alert in alerts} <= {"raised", "escalated"}
    lines = system.call("alerts", "--format", "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == alerts
    assert len(system.call("alerts").splitlines()) == 3
    history = printed(system, "alerts", "--history", "100")
    assert len(history) >= 2
    assert [entry["time"] for entry in history] == sorted(
        (entry["time"] for entry in history), reverse=True
    )
    assert len(printed(system, "alerts", "--history", "1")) == 1

    recorded = system.folder / "requests.ndjson"
    recorded.write_bytes(b"\n".join(values) + b"\n")
    at = statuses["checkout-ok"]["at"]
    replayed = [
        json.loads(line)
        for line in system.call(
            *("replay", str(system.definitions), "--requests", str(recorded), "--status-at", at)
        ).splitlines()
    ]
    same = ("slo", "at", "good", "total", "sli", "error_budget", "burn_rates", "state", "severity")
    live = statuses["checkout-ok"]
    (told,) = [data for data in replayed if data["slo"] == "checkout-ok"]
    assert {name: told[name] for name in same} == {name: live[name] for name in same}


async def test_an_emptied_redis_is_filled_again(system: System, services: Services) -> None:
    system.call("topics", "create")
    await send(system, events(time.time_ns() // 1_000_000))
    with system.worker() as worker:
        worker.until(lambda: all_counted(system, 600), SEEN_S, what="all counted")
        worker.until(lambda: len(printed(system, "alerts")) == 2, SEEN_S, what="open alerts")
        before, alerts = settled(system), printed(system, "alerts")
        history = printed(system, "alerts", "--history", "100")
        with redis.Redis.from_url(services.redis_url) as client:
            client.flushall()
        worker.until(lambda: settled(system) == before, SEEN_S, what="the statuses again")
        worker.until(lambda: printed(system, "alerts") == alerts, SEEN_S, what="the alerts again")
        assert printed(system, "alerts", "--history", "100") == history
        assert worker.stop(STOP_S) == 0, worker.tail()


@pytest.mark.real
async def test_a_redis_that_was_away_catches_up(
    embedded_address: str, topic_prefix: str, tmp_path: Path
) -> None:
    """It comes back empty, as it keeps nothing on disk."""
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    system = make_system(Services(embedded_address, url), topic_prefix, tmp_path)
    system.call("topics", "create")
    program = need_program("redis-server")
    half, rest = (v := events(time.time_ns() // 1_000_000))[:600], v[600:]
    with system.worker() as worker:
        with start_redis(program, port, tmp_path / "redis-1.log") as server:
            await send(system, half)
            worker.until(lambda: all_counted(system, 300), SEEN_S, what="the first half")
            server.send_signal(signal.SIGKILL)
            server.wait(STOP_S)
        assert system.ask("status").returncode == OUT_OF_REACH
        await send(system, rest)
        worker.until_output("the mirror waits", SEEN_S)
        assert worker.poll() is None, worker.tail()  # counting goes on
        with start_redis(program, port, tmp_path / "redis-2.log"):
            worker.until(lambda: all_counted(system, 600), SEEN_S, what="all of it")
            worker.until(lambda: len(printed(system, "alerts")) == 2, SEEN_S, what="alerts")
            assert worker.stop(STOP_S) == 0, worker.tail()


def start_redis(program: str, port: int, log: Path) -> ManagedProcess:
    """On a port that stays the same; answers when this returns."""
    server = ManagedProcess(
        [
            *(program, "--bind", "127.0.0.1", "--port", str(port)),
            "--save",
            "",
            "--appendonly",
            "no",
        ],
        log=log,
    )
    server.until(lambda: accepts_connections(port), SEEN_S, what="a listening port")
    return server


@pytest.fixture
def alone(topic_prefix: str, tmp_path: Path) -> System:
    """A system without a broker: for commands that need none."""
    return System("127.0.0.1:1", topic_prefix, tmp_path, DEFINITIONS)


def test_validate(alone: System) -> None:
    assert "valid: 2 SLOs, 2 objectives" in alone.call("validate", str(alone.definitions))
    assert printed(alone, "validate", str(alone.definitions)) == []
    wrong = alone.folder / "wrong.yaml"
    wrong.write_text(DEFINITIONS.replace("target: 0.99", "target: 2", 1))
    done = alone.ask("validate", str(wrong))
    assert done.returncode == NOT_FINE
    assert f"{wrong}:" in done.stdout
    done = alone.ask("validate", str(wrong), "--format", "ndjson")
    assert done.returncode == NOT_FINE
    (finding,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (finding["file"], finding["line"], finding["severity"]) == (str(wrong), 15, "error")
    assert alone.ask("validate", str(alone.folder / "nothing.yaml")).returncode == OUT_OF_REACH
    assert alone.ask("validate").returncode == WRONG_USE
    assert alone.ask("validate", "--format", "xml", str(wrong)).returncode == WRONG_USE


def test_replay(alone: System) -> None:
    recorded = alone.folder / "requests.ndjson"
    recorded.write_bytes(b"\n".join(events(1_767_225_600_000)) + b"\nnot json\n")
    told = [
        json.loads(line)
        for line in alone.call(
            "replay", str(alone.definitions), "--requests", str(recorded)
        ).splitlines()
    ]
    assert {event["type"] for event in told} == {
        "servicelevel.warning.raised",
        "servicelevel.breach.raised",
    }
    assert told == sorted(told, key=lambda event: str(event["time"]))
    asked = ("replay", str(alone.definitions))
    assert alone.ask(*asked).returncode == WRONG_USE
    missing = alone.ask(*asked, "--requests", str(alone.folder / "nothing.ndjson"))
    assert missing.returncode == OUT_OF_REACH
    assert "nothing.ndjson cannot be read" in missing.stderr
    assert alone.ask(*asked, "--requests", str(recorded), "--status-at", "soon").returncode == 2
    wrong = alone.folder / "wrong.yaml"
    wrong.write_text("kind: nonsense\n")
    done = alone.ask("replay", str(wrong), "--requests", str(recorded))
    assert done.returncode == WRONG_USE
    assert "Traceback" not in done.stderr


def test_schema(alone: System) -> None:
    known = alone.call("schema").split()
    assert {"alert", "status", "dead-letter", "late"} <= set(known)
    for name in known:
        assert {"type", "oneOf"} & json.loads(alone.call("schema", name)).keys()
    assert json.loads(alone.call("schema", "--asyncapi"))["asyncapi"].startswith("3.")
    done = alone.ask("schema", "nonsense")
    assert done.returncode == WRONG_USE
    assert "choose of" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (("nonsense",), {}, "nonsense"),
        (("run", "--workers", "0"), {}, "workers"),
        (("run", "--role", "mirror"), {}, "SERVICELEVEL_REDIS_URL"),
        (("status",), {"SERVICELEVEL_REDIS_URL": "http://:secret@x"}, "redis_url"),
        (("status",), {}, "REDIS_URL"),
        (("run",), {"SERVICELEVEL_DEFINITIONS": ""}, "definitions"),
        (("run",), {"SERVICELEVEL_PARTITIONS": "many"}, "partitions"),
        (("run",), {"SERVICELEVEL_BROKERS": "no-port"}, "host:port"),
    ],
)
def test_wrong_use_is_told_with_2(
    alone: System, arguments: tuple[str, ...], environment: dict[str, str], says: str
) -> None:
    done = alone.ask(*arguments, **environment)
    assert done.returncode == WRONG_USE, done
    assert says.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
