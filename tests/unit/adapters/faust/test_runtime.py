"""The host's life within the app's, whatever order the app's signals come in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP

from servicelevel.adapters.faust.runtime import Runtime
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.settings import Settings

Receiver = Callable[..., Awaitable[None]]


class Signal:
    """Keeps what is connected, so that a test may send it."""

    receiver: Receiver

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver


class OpenedError(Exception):
    pass


@asynccontextmanager
async def outputs() -> AsyncIterator[Any]:
    """None may be opened in this test."""
    raise OpenedError
    yield


async def test_an_assignment_after_the_shutdown_starts_nothing() -> None:
    signals = [Signal(), Signal(), Signal()]
    assigned, revoked, shutdown = signals
    app = SimpleNamespace(
        on_partitions_assigned=assigned,
        on_partitions_revoked=revoked,
        on_before_shutdown=shutdown,
    )
    unused = cast(Any, None)
    settings = Settings(brokers="127.0.0.1:1")
    Runtime(
        settings,
        cast(Any, app),
        unused,
        unused,
        unused,
        unused,
        outputs(),
        EvaluatorVitals(),
    )
    await shutdown.receiver(app)
    await assigned.receiver(app, {TP(settings.topic("counts"), 0)})
    await revoked.receiver(app, set())
