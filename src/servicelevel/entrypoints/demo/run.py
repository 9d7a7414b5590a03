"""`servicelevel demo`: starts what is needed, shows it, and leaves nothing behind."""

import asyncio
import importlib.resources
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import FrameType
from typing import NoReturn, TextIO

from aiokafka.admin import AIOKafkaAdminClient

from servicelevel.adapters.embedded.broker import embedded_broker
from servicelevel.adapters.embedded.valkey import embedded_valkey
from servicelevel.adapters.kafka.connection import client_options
from servicelevel.adapters.kafka.topics import topic_specs
from servicelevel.application.ports import WallClock
from servicelevel.entrypoints.demo.board import Board
from servicelevel.entrypoints.demo.screen import Screen, open_screen, write_lines
from servicelevel.entrypoints.demo.show import Show
from servicelevel.entrypoints.demo.story import load_story
from servicelevel.entrypoints.demo.summary import counted, is_exact, summary
from servicelevel.entrypoints.demo.worker import worker_environment
from servicelevel.errors import CheckFailedError
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings

_INTERRUPTED = 128 + signal.SIGINT
_TERMINATED = 128 + signal.SIGTERM
_EMBEDDED_SESSION_MS = 4_000  # this broker lets a group wait for half of it when it begins
_THEIR_SESSION_MS = 6_000  # Kafka's default minimum

Screens = Callable[[Board, TextIO], AbstractContextManager[Screen]]


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


def run_demo(
    for_seconds: float | None,
    broker: str | None,
    redis_url: str | None,
    *,
    out: TextIO,
    screens: Screens = open_screen,
    environ: Mapping[str, str] | None = None,
    now_ms: WallClock = _wall_clock,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> int:
    """Show the demo for so long, or until a signal; the exit code (130 for Ctrl-C).

    `broker` (host:port) and `redis_url` name servers to use instead of the embedded ones; the
    topics made on such a broker are deleted at the end.

    Raises:
        UsageError: an embedded server is needed and the `embedded` extra is not installed.
        DependencyError: a server does not answer, or the worker has ended.
        CheckFailedError: the evaluator counted something else than was sent.
    """
    began_s = monotonic_s()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its lines would tear the picture
    story, board = load_story(), Board()
    try:
        with ExitStack() as stack:
            stack.enter_context(_ending_on_sigterm())
            definitions = importlib.resources.files(__package__).joinpath("shop.yaml")
            environ = worker_environment(
                os.environ if environ is None else environ,
                brokers=broker or stack.enter_context(embedded_broker()),
                redis_url=redis_url or stack.enter_context(embedded_valkey()),
                definitions=stack.enter_context(importlib.resources.as_file(definitions)),
                name=f"demo-{secrets.token_hex(4)}",
                session_timeout_ms=_THEIR_SESSION_MS if broker else _EMBEDDED_SESSION_MS,
            )
            settings = load_settings(environ)
            if broker:
                stack.callback(_delete_topics, settings)
            with screens(board, out) as screen:
                show = Show(
                    story, settings, environ, board, screen, lambda: monotonic_s() - began_s, now_ms
                )
                code = asyncio.run(show.play(for_seconds))
            write_lines(summary(board, story), out)
    except KeyboardInterrupt:
        return _INTERRUPTED
    if not is_exact(counted(board, story)):
        raise CheckFailedError("the evaluator counted something else than was sent (see above)")
    return code


def _delete_topics(settings: Settings) -> None:
    async def delete() -> None:
        admin = AIOKafkaAdminClient(**client_options(settings, "demo-topics"))
        await admin.start()
        try:
            await admin.delete_topics([spec.name for spec in topic_specs(settings)])
        finally:
            await admin.close()

    asyncio.run(delete())


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, also while nothing is shown yet."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
