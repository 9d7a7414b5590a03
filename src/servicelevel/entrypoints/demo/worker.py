"""The worker of the demo: `servicelevel run` as a process of its own, set up by its environment."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from servicelevel.adapters.embedded.process import Process, tail
from servicelevel.errors import DependencyError
from servicelevel.settings_file import PREFIX

COMMAND = (sys.executable, "-m", "servicelevel", "run")
STOP_GRACE_S = 8.0
PARTITIONS = 2
_POLL_S = 0.1
_CONNECTION = ("SECURITY_PROTOCOL", "SASL_", "SSL_")


def worker_environment(
    environ: Mapping[str, str], *, brokers: str, redis_url: str, definitions: Path, name: str
) -> dict[str, str]:
    """The environment of the worker; the demo's own settings are read from it too.

    Of the caller's settings only those that say how to speak to a broker are kept. `name`
    begins the names of topics and groups, so that a broker of the caller's own is not mixed up.
    """
    kept = {
        key: value
        for key, value in environ.items()
        if not key.startswith(PREFIX) or key.removeprefix(PREFIX).startswith(_CONNECTION)
    }
    ours = {
        "BROKERS": brokers,
        "REDIS_URL": redis_url,
        "DEFINITIONS": str(definitions),
        "TOPIC_PREFIX": f"{name}.",
        "GROUP": name,
        "PARTITIONS": str(PARTITIONS),
        "COUNTS_PARTITIONS": str(PARTITIONS),
        "ALLOWED_LATENESS_MS": "2000",
        "IDLE_TIMEOUT_MS": "2000",
        "FLUSH_INTERVAL_MS": "100",
        "LOG_FORMAT": "text",
    }
    return kept | {PREFIX + key: value for key, value in ours.items()}


async def worker_ends(process: Process, log: IO[bytes]) -> None:
    """Wait for the worker to end, which it should not.

    Raises:
        DependencyError: it has ended; the message has what it printed last.
    """
    while process.poll() is None:
        await asyncio.sleep(_POLL_S)
    raise DependencyError(
        f"the worker ended with exit code {process.returncode}; it printed: {tail(log) or '-'}"
    )
