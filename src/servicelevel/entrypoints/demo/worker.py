"""The worker of the demo: `servicelevel run` as a process of its own, set up by its environment."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from servicelevel.adapters.embedded.process import guarded, tail
from servicelevel.errors import DependencyError, RestartRequiredError
from servicelevel.settings_file import PREFIX

COMMAND = (sys.executable, "-m", "servicelevel", "run")
STOP_GRACE_S = 3.0  # what it holds is thrown away anyway
PARTITIONS = 2
_POLL_S = 0.1
_CONNECTION = ("SECURITY_PROTOCOL", "SASL_", "SSL_")


def worker_environment(
    environ: Mapping[str, str],
    *,
    brokers: str,
    redis_url: str,
    definitions: Path,
    name: str,
    session_timeout_ms: int,
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
        "SESSION_TIMEOUT_MS": str(session_timeout_ms),
        "LOG_FORMAT": "text",
    }
    return kept | {PREFIX + key: value for key, value in ours.items()}


async def keep_working(
    environ: Mapping[str, str], command: Sequence[str] = COMMAND, grace_s: float = STOP_GRACE_S
) -> None:
    """Run the worker until this is cancelled; one that asks for a new start gets it.

    Raises:
        DependencyError: it has ended otherwise; the message has what it printed last.
    """
    code = RestartRequiredError.exit_code
    printed = ""
    while code == RestartRequiredError.exit_code:
        with (
            TemporaryFile() as log,
            guarded(command, env=environ, log=log, grace_s=grace_s) as process,
        ):
            while process.poll() is None:
                await asyncio.sleep(_POLL_S)
            code, printed = process.returncode, tail(log)
    raise DependencyError(f"the worker ended with exit code {code}; it printed: {printed or '-'}")
