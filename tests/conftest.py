"""Fixtures for every test: brokers, Redis, names that no other test uses.

`broker` and `redis_url` are parametrised over the embedded server and the real one; the real
ones carry the marker `real`, so `-m "not real"` needs nothing but Python.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
import redis

from servicelevel.adapters.embedded.broker import embedded_broker
from servicelevel.adapters.embedded.valkey import embedded_valkey
from tests.services import kafka as kafka_service
from tests.services.kafka import KafkaBroker
from tests.services.redis_server import system_redis
from tests.services.requirements import all_required, need_program, unavailable

hypothesis.settings.register_profile("servicelevel", deadline=None)  # no test times a machine
hypothesis.settings.load_profile("servicelevel")


@dataclass(frozen=True)
class Broker:
    """`kind` is `embedded` or `kafka`; `address` is `host:port`."""

    kind: str
    address: str


@pytest.fixture(scope="session")
def embedded_address() -> Iterator[str]:
    """The Kafka-compatible broker from the Python package, shared by the session."""
    with embedded_broker() as address:
        yield address


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """Apache Kafka, shared by the session; tests that use it carry the marker `real`."""
    need_program("java")
    if reason := kafka_service.missing():
        unavailable(reason)
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaBroker]:
    """An Apache Kafka of this test's own, for tests that stop or kill it."""
    need_program("java")
    if reason := kafka_service.missing():
        unavailable(reason)
    with KafkaBroker(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.real)])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Each broker in turn."""
    if request.param == "kafka":
        return Broker("kafka", request.getfixturevalue("kafka").address)
    return Broker("embedded", request.getfixturevalue("embedded_address"))


@pytest.fixture(scope="session", params=["valkey", pytest.param("redis", marks=pytest.mark.real)])
def redis_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of each Redis-compatible server in turn; `redis_url` empties it for the test."""
    started = (
        embedded_valkey()
        if request.param == "valkey"
        else system_redis(need_program("redis-server"))
    )
    with started as url:
        yield url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """An empty Redis-compatible database."""
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and groups that no other test uses, so that tests share a broker."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """`program("nginx")` is its path; tests that use it carry the marker `real`."""
    return need_program


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses Apache Kafka or a program of the system is `real`, marked or not."""
    for item in items:
        if {"kafka", "own_kafka", "program"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if all_required() and reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nskipped tests are failures here: everything is required", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
