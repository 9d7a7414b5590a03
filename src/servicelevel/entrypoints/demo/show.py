"""One showing of the demo: the parts that run side by side while it lasts."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from servicelevel.adapters.kafka.connection import client_options, start_producer
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.application.ports import WallClock
from servicelevel.domain.time import MINUTE_MS, SECOND_MS
from servicelevel.entrypoints.demo.board import Board
from servicelevel.entrypoints.demo.feed import Feed
from servicelevel.entrypoints.demo.screen import Screen
from servicelevel.entrypoints.demo.story import Story
from servicelevel.entrypoints.demo.traffic import Traffic
from servicelevel.entrypoints.demo.watch import watching
from servicelevel.entrypoints.demo.worker import keep_working
from servicelevel.schemas.cloudevents import StatusEvent
from servicelevel.settings import Settings

_CHUNK_MS = 15 * MINUTE_MS
_LIVE_EVERY_S = 0.1
_REFRESH_EVERY_S = 0.25
_BATCH_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Show:
    """What a showing needs. `elapsed_s` is the time since the command began, `now_ms` the
    wall clock; `environ` is the worker's environment, which `settings` were read from.
    """

    story: Story
    settings: Settings
    environ: Mapping[str, str]
    board: Board
    screen: Screen
    elapsed_s: Callable[[], float]
    now_ms: WallClock

    async def play(self, for_s: float | None) -> int:
        """Show until `for_s` seconds have passed since the command began, or a signal comes.

        The exit code: 0, or 128 + the signal's number.

        Raises:
            DependencyError: the broker does not answer, or the worker has ended.
        """
        options = client_options(self.settings, "demo-topics")
        specs = topic_specs(self.settings)
        await create_topics(options, specs, self.settings.replication_factor)
        remaining_s = None if for_s is None else max(0.0, for_s - self.elapsed_s())
        parts = (self._feed(), self._watch(), self._refresh(), keep_working(self.environ))
        return await _until_first(parts, remaining_s)

    async def _feed(self) -> None:
        """The history as fast as it goes, then each request when its time has come."""
        producer = await start_producer(self.settings, "demo-feed", max_batch_size=_BATCH_BYTES)
        try:
            topic = self.settings.topic(self.settings.request_topics[0])
            feed = Feed(producer, topic, self.settings.partitions, self.board.sent)
            live_ms = self.now_ms()
            traffic = Traffic(self.story, live_ms)
            end_ms = live_ms - round(self.story.history_s * SECOND_MS)
            while end_ms < live_ms:
                end_ms = min(end_ms + _CHUNK_MS, live_ms)
                await feed.send(traffic.until(end_ms))
            hours = self.story.history_s / 3600
            self._tell(f"{hours:g} hours of history: {self.board.sent.total():,} requests sent")
            told_s = 0.0
            while True:
                live_s = (self.now_ms() - live_ms) / SECOND_MS
                for phase in self.story.beginning(told_s, live_s):
                    self._tell(phase.title)
                told_s = live_s
                await feed.send(traffic.until(self.now_ms()))
                await asyncio.sleep(_LIVE_EVERY_S)
        finally:
            await producer.stop()

    def _tell(self, text: str) -> None:
        self.screen.tell(self.board.happens(self.elapsed_s(), "phase", text))

    async def _watch(self) -> None:
        async with watching(self.settings) as events:
            async for event in events:
                if isinstance(event, StatusEvent):
                    self.board.status(event)
                elif happening := self.board.transition(event, self.elapsed_s()):
                    self.screen.tell(happening)

    async def _refresh(self) -> None:
        while True:
            self.screen.refresh(self.elapsed_s())
            await asyncio.sleep(_REFRESH_EVERY_S)


async def _until_first(
    parts: tuple[Coroutine[Any, Any, None], ...], timeout_s: float | None
) -> int:
    """Run the parts until one fails, the time is up (0) or a signal comes (128 + its number)."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, stopped, 128 + number)
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        waited: list[asyncio.Future[Any]] = [stopped, *tasks]
        await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        return stopped.result() if stopped.done() else 0
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):  # the first failure is the one told
                await task


def _stop(stopped: "asyncio.Future[int]", code: int) -> None:
    if not stopped.done():
        stopped.set_result(code)
