"""How to reach the brokers: from our settings to Faust, and from Faust's to a plain client."""

from typing import Any

from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list
from faust.types import AppT

from servicelevel.adapters.kafka.connection import client_options
from servicelevel.settings import Settings

_DEFAULT_PORT = 9092


def broker_url(settings: Settings) -> str:
    """The brokers as Faust writes them."""
    addresses = (address.strip() for address in settings.brokers.split(","))
    return ";".join(f"kafka://{address}" for address in addresses if address)


def broker_credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    """Faust's credentials, which hold the TLS context too; None for plain text."""
    options = client_options(settings, "evaluator")
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=context,
            mechanism=options["sasl_mechanism"],
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
