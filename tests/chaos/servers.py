"""A Redis of a run's own that can be killed and comes back empty, on the same port."""

import shutil
from pathlib import Path

from servicelevel.adapters.embedded.process import free_port
from tests.services.process import ManagedProcess, accepts_connections

READY_S = 30


class Redis:
    """`url` stays the same over `kill` and `start`."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "redis.log"
        self._port = free_port()
        self._process: ManagedProcess | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server", path="/usr/bin:/usr/local/bin:/usr/sbin:/sbin")
        if program is None:
            raise FileNotFoundError("redis-server is not installed")
        command = [program, "--bind", "127.0.0.1", "--port", str(self._port), "--save", ""]
        self._process = ManagedProcess(command, log=self._log)
        self._process.until(
            lambda: accepts_connections(self._port), READY_S, what="a listening port"
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
