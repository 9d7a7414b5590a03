"""How clients reach the brokers: arguments from the settings, and starting with clear errors."""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.helpers import create_ssl_context
from aiokafka.record.default_records import DefaultRecordBatch
from pydantic import SecretStr

from servicelevel.errors import DependencyError, SettingsError
from servicelevel.settings import Settings

log = logging.getLogger(__name__)


class Client(Protocol):
    """A consumer or producer of aiokafka."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def client_options(settings: Settings, role: str) -> dict[str, Any]:
    """Arguments that every aiokafka client takes; `role` ends the client id, for the broker's logs.

    Raises:
        SettingsError: a certificate or key file cannot be used.
    """
    options: dict[str, Any] = {
        "bootstrap_servers": [part.strip() for part in settings.brokers.split(",")],
        "client_id": f"{settings.group}-{role}",
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.startswith("SASL_"):
        options["sasl_mechanism"] = settings.sasl_mechanism or "PLAIN"
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = _text(settings.sasl_password)
    if settings.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(settings)
    return options


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    try:
        context: ssl.SSLContext = create_ssl_context(
            cafile=_path(settings.ssl_cafile),
            certfile=_path(settings.ssl_certfile),
            keyfile=_path(settings.ssl_keyfile),
            password=_text(settings.ssl_password),
        )
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"no TLS context from ssl_cafile={settings.ssl_cafile}, "
            f"ssl_certfile={settings.ssl_certfile}, ssl_keyfile={settings.ssl_keyfile}: {error}; "
            "each must name a readable PEM file"
        ) from error
    return context


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _path(path: object) -> str | None:
    return None if path is None else str(path)


async def start(client: Client, settings: Settings) -> None:
    """Start a client; it is stopped again if that fails.

    Raises:
        DependencyError: no broker answers, or the brokers refuse the client.
    """
    try:
        await client.start()
    except BaseException as error:
        await stop_client(client)
        if isinstance(error, KafkaConnectionError):
            raise DependencyError(
                f"no Kafka broker answers at {settings.brokers} "
                f"({settings.security_protocol}): start one, or name another with "
                "SERVICELEVEL_BROKERS or --brokers"
            ) from error
        if isinstance(error, KafkaError):
            raise DependencyError(
                f"the Kafka brokers at {settings.brokers} refused a client: {error!r}; check the "
                "security settings and the access rights of this user"
            ) from error
        raise


async def stop_client(client: Client) -> None:
    """Stop a client, also while its broker is away.

    Then a consumer's fetches wait to be tried again; aiokafka cancels them, and this ends its own
    `stop` as if the caller were cancelled.
    """
    stopping = asyncio.ensure_future(client.stop())
    try:
        await asyncio.wait((stopping,))
    except asyncio.CancelledError:
        stopping.cancel()
        await asyncio.wait((stopping,))
        raise
    if not stopping.cancelled():
        stopping.result()


async def start_producer(settings: Settings, role: str, **options: Any) -> AIOKafkaProducer:
    """A started producer that waits for all replicas; idempotent where the brokers can.

    Without idempotence a retry may write a message twice: the ledger ignores a range that comes
    again, and readers of outputs drop a repeated id.

    Raises:
        DependencyError: no broker answers, or the brokers refuse the client.
    """
    shared = {**client_options(settings, role), "acks": "all", **options}
    idempotent = AIOKafkaProducer(**shared, enable_idempotence=True)
    try:
        with _without_probe_errors():
            await idempotent.start()
    except KafkaConnectionError:
        await idempotent.stop()
    except KafkaError as error:
        log.info("the broker gives out no producer ids (%r): going on without idempotence", error)
        await idempotent.stop()
    except BaseException:
        await idempotent.stop()
        raise
    else:
        return idempotent
    plain = AIOKafkaProducer(**shared)
    await start(plain, settings)
    return plain


@contextmanager
def _without_probe_errors() -> Iterator[None]:
    """That a broker gives out no producer ids is no error here, whatever aiokafka says."""

    def is_other(record: logging.LogRecord) -> bool:
        return "InitProducerIdRequest" not in record.getMessage()

    sender = logging.getLogger("aiokafka.producer.sender")
    sender.addFilter(is_other)
    try:
        yield
    finally:
        sender.removeFilter(is_other)


def slow_client_warning(batch_class: type = DefaultRecordBatch) -> str | None:
    """What to say if aiokafka runs without its C extension; None if it is in use."""
    if "_crecords" in batch_class.__module__:
        return None
    return (
        "aiokafka runs without its C extension, some fifty times slower per record: install a "
        "wheel for this platform, or a C compiler before `pip install --no-binary aiokafka "
        "aiokafka`; and see that AIOKAFKA_NO_EXTENSIONS is not set"
    )
