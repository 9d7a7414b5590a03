"""How to reach the brokers: from our settings to Faust, and from Faust's to a plain client."""

from typing import Any

from aiokafka.helpers import create_ssl_context
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list
from faust.types import AppT
from pydantic import SecretStr

from servicelevel.settings import Settings

_DEFAULT_PORT = 9092


def broker_url(settings: Settings) -> str:
    """The brokers as Faust writes them."""
    addresses = (address.strip() for address in settings.brokers.split(","))
    return ";".join(f"kafka://{address}" for address in addresses if address)


def broker_credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """Faust's credentials, which hold the TLS context too; None for plain text."""
    context = None
    if settings.security_protocol in ("SSL", "SASL_SSL"):
        context = create_ssl_context(
            cafile=_text(settings.ssl_cafile),
            certfile=_text(settings.ssl_certfile),
            keyfile=_text(settings.ssl_keyfile),
            password=_secret(settings.ssl_password),
        )
    if settings.security_protocol.startswith("SASL"):
        return SASLCredentials(
            username=settings.sasl_username,
            password=_secret(settings.sasl_password),
            ssl_context=context,
            mechanism=settings.sasl_mechanism or "PLAIN",
        )
    return None if context is None else SSLCredentials(context)


def client_arguments(app: AppT) -> dict[str, Any]:
    """Arguments for a plain aiokafka client that reaches the app's brokers as the app does."""
    conf = app.conf
    return {
        "bootstrap_servers": server_list(conf.broker, _DEFAULT_PORT),
        "client_id": conf.broker_client_id,
        **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
    }


def _secret(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(path: object) -> str | None:
    return None if path is None else str(path)
