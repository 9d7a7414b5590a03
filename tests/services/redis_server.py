"""A Redis or Valkey server on loopback and a free port, without persistence."""

from pathlib import Path
from types import TracebackType
from typing import Self

from tests.services.process import ManagedProcess, accepts_connections, free_port

START_TIMEOUT_S = 20


class RedisServer:
    """`program` is a redis-server or valkey-server binary."""

    def __init__(self, program: Path | str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._port = free_port()
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._process = ManagedProcess(
            [
                self._program,
                *("--port", str(self._port), "--bind", "127.0.0.1", "--save", ""),
                *("--appendonly", "no", "--dir", str(self._folder)),
            ],
            log=self._folder / "redis.log",
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
