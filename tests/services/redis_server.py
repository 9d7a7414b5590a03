"""The system's redis-server, on loopback and a free port, without persistence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from servicelevel.adapters.embedded.process import guarded_server
from tests.services.process import accepts_connections


@contextmanager
def system_redis(program: str) -> Iterator[str]:
    """Run it and yield its `redis://` URL; it ends with this process."""
    with guarded_server(
        "redis-server", lambda port: _command(program, port), accepts_connections
    ) as port:
        yield f"redis://127.0.0.1:{port}/0"


def _command(program: str, port: int) -> Sequence[str]:
    return (
        *(program, "--bind", "127.0.0.1", "--port", str(port)),
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
    )
