"""The command with fakes for all that is outside of it."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from servicelevel.adapters.redis.memory import MemoryStore
from servicelevel.application.compare import SloDifference
from servicelevel.application.mirror import Move, StatusReader, Update
from servicelevel.domain.outputs import Output
from servicelevel.entrypoints.cli.app import run_command
from servicelevel.entrypoints.cli.session import Parts
from servicelevel.entrypoints.replay_request import ReplayRequest
from servicelevel.errors import ServiceLevelError
from servicelevel.schemas.outputs import output_key
from servicelevel.settings import Settings
from tests.builders.outputs import event_of

NOW = 1_767_225_600_000


@dataclass
class Outside:
    """What the fakes answer, and what they were asked."""

    environ: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[Output] = ()
    problems: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    kafka_error: ServiceLevelError | None = None
    redis_error: ServiceLevelError | None = None
    slow: str | None = None
    on_run: Callable[[], int] = lambda: 0
    differences: list[SloDifference] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    @asynccontextmanager
    async def open_reader(self, settings: Settings) -> AsyncIterator[StatusReader]:
        self.asked.append(("reader", settings))
        if self.redis_error:
            raise self.redis_error
        store = MemoryStore()
        updates = [Update(output_key(o).decode(), event_of(o)) for o in self.outputs]
        await store.apply({"s/0": Move(None, len(updates))}, updates)
        yield store

    async def ping_redis(self, _settings: Settings) -> None:
        await asyncio.sleep(0)
        if self.redis_error:
            raise self.redis_error

    async def topic_problems(self, settings: Settings) -> list[str]:
        self.asked.append(("topics", settings))
        if self.kafka_error:
            raise self.kafka_error
        return self.problems

    async def create_topics(self, _settings: Settings) -> list[str]:
        if self.kafka_error:
            raise self.kafka_error
        return self.missing

    def run(self, settings: Settings, role: str, workers: int, watch: bool) -> int:
        self.asked.append(("run", settings, role, workers, watch))
        return self.on_run()

    def replay(self, request: ReplayRequest, out: TextIO) -> None:
        self.asked.append(("replay", request))
        out.write("{}\n")

    def compare(self, request: ReplayRequest, against: Sequence[Path]) -> list[SloDifference]:
        self.asked.append(("compare", request, list(against)))
        return self.differences

    def demo(self, *arguments: Any, out: Any) -> int:
        self.asked.append(("demo", *arguments))
        out.write("shown\n")
        return 7


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


def servicelevel(outside: Outside, *arguments: str) -> Outcome:
    """Run one command. What the option parser itself prints goes to the real streams."""
    out, err = io.StringIO(), io.StringIO()
    parts = Parts(
        environ=outside.environ,
        out=out,
        err=err,
        clock=lambda: NOW,
        open_reader=outside.open_reader,
        ping_redis=outside.ping_redis,
        topic_problems=outside.topic_problems,
        create_topics=outside.create_topics,
        slow_client=lambda: outside.slow,
        run=outside.run,
        replay=outside.replay,
        compare=outside.compare,
        demo=outside.demo,
    )
    code = run_command(arguments, parts)
    return Outcome(code, out.getvalue(), err.getvalue())
