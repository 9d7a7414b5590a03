import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from servicelevel.adapters.kafka.connection import (
    client_options,
    slow_client_warning,
    start,
    start_producer,
    stop_client,
)
from servicelevel.errors import DependencyError, SettingsError
from servicelevel.settings import Settings

PASSWORD = SecretStr("not to be seen")


def test_options_come_from_the_settings() -> None:
    options = client_options(Settings(brokers="a:1, b:2", group="sl"), "tail")
    assert options == {
        "bootstrap_servers": ["a:1", "b:2"],
        "client_id": "sl-tail",
        "security_protocol": "PLAINTEXT",
    }


def test_sasl_over_tls() -> None:
    settings = Settings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="me",
        sasl_password=PASSWORD,
    )
    options = client_options(settings, "x")
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "me"
    assert options["sasl_plain_password"] == PASSWORD.get_secret_value()
    assert options["ssl_context"].check_hostname


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    settings = Settings(security_protocol="SSL", ssl_cafile=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        client_options(settings, "x")


async def test_a_broker_that_is_not_there_is_named() -> None:
    settings = Settings(brokers="127.0.0.1:1")
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1 .*SERVICELEVEL_BROKERS"):
        await start_producer(settings, "x")


async def test_a_client_that_fails_is_stopped() -> None:
    class Failing:
        stopped = False

        async def start(self) -> None:
            raise ValueError("no")

        async def stop(self) -> None:
            self.stopped = True

    client = Failing()
    with pytest.raises(ValueError, match="no"):
        await start(client, Settings())
    assert client.stopped


class Stopping:
    """Its `stop` waits, and then fails with `error` if there is one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.error = error
        self.broken_off = False

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.broken_off = True
            raise
        if self.error is not None:
            raise self.error


async def test_a_client_that_cancels_its_own_stop_is_stopped() -> None:
    client = Stopping(asyncio.CancelledError())
    client.go_on.set()
    await stop_client(client)


async def test_what_a_stop_raises_is_raised() -> None:
    client = Stopping(ValueError("no"))
    client.go_on.set()
    with pytest.raises(ValueError, match="no"):
        await stop_client(client)


async def test_whoever_is_cancelled_while_a_client_stops_is_cancelled() -> None:
    client = Stopping()
    task = asyncio.create_task(stop_client(client))
    await client.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert client.broken_off


def test_says_when_the_c_extension_is_missing() -> None:
    class InPython:
        pass

    assert slow_client_warning() is None
    assert "install a wheel" in str(slow_client_warning(InPython))
