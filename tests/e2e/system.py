"""A system of its own on a shared broker: topics, definitions, workers, and what they stored."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.topics import read_all, table
from tests.services.process import ManagedProcess

SERVICELEVEL = (sys.executable, "-m", "servicelevel")
CALL_S = 300


class System:
    """A prefix of its own on a broker, its definitions, and workers on it.

    `settings` are further variables of the environment.
    """

    def __init__(
        self,
        broker: str,
        prefix: str,
        folder: Path,
        definitions: str,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.broker, self.prefix, self.folder = broker, prefix, folder
        self.definitions = folder / "slos.yaml"
        self.definitions.write_text(definitions)
        self.environment = {
            "SERVICELEVEL_BROKERS": broker,
            "SERVICELEVEL_TOPIC_PREFIX": prefix,
            "SERVICELEVEL_GROUP": prefix.rstrip("."),
            "SERVICELEVEL_DEFINITIONS": str(self.definitions),
            "SERVICELEVEL_SESSION_TIMEOUT_MS": "6000",
            **(settings or {}),
        }

    def worker(self, number: int = 0, *arguments: str) -> ManagedProcess:
        """`servicelevel run` with `arguments`; its log is named by `number`."""
        log = self.folder / f"worker-{number}.log"
        return ManagedProcess([*SERVICELEVEL, "run", *arguments], log=log, env=self.environment)

    def ask(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run another command to its end, whatever it returns."""
        return subprocess.run(
            [*SERVICELEVEL, *arguments],
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CALL_S,
            check=False,
        )

    def call(self, *arguments: str) -> str:
        """What another command prints; it must succeed."""
        done = self.ask(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def entries(self) -> dict[tuple[int, str], Any]:
        """What the evaluators stored, by counts partition and key."""
        group = self.environment["SERVICELEVEL_GROUP"]
        return await table(self.broker, f"{group}-evaluator-state-changelog")

    async def progress(self) -> list[dict[str, Any]]:
        """Of each counts partition that has any."""
        return [value for (_, key), value in (await self.entries()).items() if key == "p"]

    async def tallies(self) -> list[dict[str, list[int]]]:
        """By counts partition, what each source of requests came to: read, counted, late, dead.

        And how many were repeated, where any were.
        """
        return [
            {name: raw[5] for name, raw in value["sources"].items() if name.startswith("requests")}
            for value in await self.progress()
        ]

    async def read_everything(self, sent: int) -> bool:
        """Whether every counts partition has as many records applied."""
        tallies = await self.tallies()
        return len(tallies) == 4 and all(
            sum(tally[0] for tally in sources.values()) == sent for sources in tallies
        )

    async def judged(self, sent: int, last_ms: int) -> bool:
        """Whether all is read and every pane up to `last_ms` is complete."""
        return await self.read_everything(sent) and all(
            (value["watermark_ms"] or 0) >= last_ms for value in await self.progress()
        )

    async def told(self, *topics: str) -> list[dict[str, Any]]:
        """All events on output topics, as often as they are there."""
        found = []
        for topic in topics:
            records = await read_all(self.broker, self.prefix + topic)
            found += [json.loads(r.value) for r in records if r.value is not None]
        return found
