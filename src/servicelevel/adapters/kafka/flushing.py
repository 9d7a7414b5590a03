"""Writes what was counted to `counts`, and sees to it that it is accepted."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from servicelevel.adapters.kafka.counts_writer import CountsWriter
from servicelevel.adapters.kafka.tail import CountsTail
from servicelevel.application.packing import pack
from servicelevel.application.ports import WallClock
from servicelevel.application.source_counter import SourceCounter
from servicelevel.application.vitals import CombinerVitals
from servicelevel.domain.counts import Range
from servicelevel.domain.outputs import DeadLetter, LateEvent

log = logging.getLogger(__name__)

HEARTBEAT_MS = 1_000
FRESH_MS = 5_000


@dataclass(slots=True)
class Held:
    """A source partition that we count; `probes` are written ranges not seen in the log yet.

    A probe maps a counts partition to the message's offset and the end of the last range in it.
    `end_seen_ms` are when the last two answers of the broker came that left nothing to read, the
    later one first; `answered` names the last answer, by the client's own clock.
    """

    partition: TopicPartition
    counter: SourceCounter
    probes: dict[int, tuple[int, int]] = field(default_factory=dict)
    end_seen_ms: tuple[int, int] | None = None
    answered: int | None = None
    lag: int = 0

    def is_at_end(self, now_ms: int) -> bool:
        """Whether all was read a moment ago.

        A process or machine that stood still remembers an end of long ago, and the first answer
        that it finds may be as old; were the source idle by these, all that came meanwhile would
        be late.
        """
        return self.end_seen_ms is not None and now_ms - self.end_seen_ms[1] <= FRESH_MS

    def saw_end(self, now_ms: int) -> None:
        """A new answer of the broker left nothing to read."""
        before = now_ms if self.end_seen_ms is None else self.end_seen_ms[0]
        self.end_seen_ms = now_ms, before


class AsidesWriter(Protocol):
    """Sends `(topic without prefix, key, value)`; returns when all are acknowledged."""

    async def send_messages(self, messages: Iterable[tuple[str, bytes | None, bytes]]) -> None: ...


@dataclass(frozen=True, slots=True)
class Asides:
    """Where records go that are not (only) counted."""

    writer: AsidesWriter
    dead_letter_event: Callable[[DeadLetter], bytes]
    late_event: Callable[[LateEvent], bytes]

    async def send(self, asides: Iterable[DeadLetter | LateEvent]) -> None:
        """Send them to `dead-letter` and `late`; returns when all are acknowledged."""
        await self.writer.send_messages([self._message(aside) for aside in asides])

    def _message(self, aside: DeadLetter | LateEvent) -> tuple[str, bytes, bytes]:
        if isinstance(aside, DeadLetter):
            key = f"{aside.topic}/{aside.partition}".encode()
            return "dead-letter", key, self.dead_letter_event(aside)
        return "late", aside.service.encode(), self.late_event(aside)


class Flusher:
    """Holds the sources that are counted (`held`).

    What can no longer be counted leaves `held` and is put in `lost`, to be claimed again: the
    partition, and whether its ranges must be smaller.
    """

    def __init__(
        self,
        tail: CountsTail,
        writer: CountsWriter,
        asides: Asides,
        clock: WallClock,
        owner: str,
        vitals: CombinerVitals,
    ) -> None:
        self.held: dict[TopicPartition, Held] = {}
        self.lost: asyncio.Queue[tuple[TopicPartition, bool]] = asyncio.Queue()
        self._tail = tail
        self._writer = writer
        self._asides = asides
        self._clock = clock
        self._owner = owner
        self._vitals = vitals
        self._lock = asyncio.Lock()
        self._heartbeat_ms: int | None = None
        self._written: dict[int, int] = {}

    async def flush(self, *, heartbeat: bool = False) -> None:
        """Write the counts so far; returns when they are acknowledged, accepted or not.

        Raises:
            DependencyError: a dead letter or late event could not be sent.
        """
        async with self._lock:
            self._drop_rejected()
            held = list(self.held.values())
            if not held:
                return
            messages = self._close(held, heartbeat=heartbeat)
            # Counting goes on while this is written: what it closes is for the next flush.
            ends = {n: [(each, each.counter.told_up_to(n)) for each in held] for n, _ in messages}
            asides = [aside for each in held for aside in each.counter.asides()]
            if asides:
                await self._asides.send(asides)
            await self._write(held, messages, ends)
            self._vitals.flushes += 1

    def _close(self, held: list[Held], *, heartbeat: bool) -> list[tuple[int, bytes]]:
        """Take what was counted, all in one moment; the messages to be written."""
        now_ms = self._clock()
        for each in held:
            tally = each.counter.take()
            self._vitals.read += tally.read
            self._vitals.counted += tally.counted
            self._vitals.late += tally.late
            self._vitals.dead += tally.dead
            self._vitals.repeated += tally.repeated
            each.counter.look_at_clock(now_ms, at_end=each.is_at_end(now_ms))
        if self._heartbeat_ms is None or now_ms - self._heartbeat_ms >= HEARTBEAT_MS:
            heartbeat = True
        if heartbeat:
            self._heartbeat_ms = now_ms
        ranges = {
            n: sorted((range_ for each in held for range_ in each.counter.ranges(n)), key=_in_order)
            for n in self._tail.counts_partitions
            if heartbeat or any(each.counter.has_news(n) for each in held)
        }
        messages, too_large = self._pack(ranges, now_ms)
        for each in held:
            each.counter.told_idle()
            if each.counter.source in too_large:
                self.lose(each, smaller=True)
        return messages

    def _pack(
        self, ranges: dict[int, list[Range]], now_ms: int
    ) -> tuple[list[tuple[int, bytes]], set[str]]:
        """Messages, and the sources that are left out of all of them as some would be too large."""
        max_bytes = self._writer.max_bytes
        packed = {n: pack(some, now_ms, max_bytes) for n, some in ranges.items()}
        too_large = {source for each in packed.values() for source in each.too_large}
        if too_large:
            # In every partition, so that a record that is refused later counts in none.
            left = {n: [r for r in some if r.source not in too_large] for n, some in ranges.items()}
            packed = {n: pack(some, now_ms, max_bytes) for n, some in left.items()}
        return [(n, value) for n, each in packed.items() for value in each.messages], too_large

    async def _write(
        self,
        held: list[Held],
        messages: list[tuple[int, bytes]],
        ends: dict[int, list[tuple[Held, int]]],
    ) -> None:
        try:
            written = await self._writer.write(messages)
        except KafkaError as error:
            if isinstance(error, MessageSizeTooLargeError):
                self._writer.max_bytes //= 2
            log.warning(
                "counts could not be written in messages of up to %d bytes, claiming the sources "
                "again: %r",
                self._writer.max_bytes,
                error,
            )
            for each in held:
                self.lose(each)
            return
        self._written.update(written)
        for partition, offset in written.items():
            for each, end in ends[partition]:
                each.probes.setdefault(partition, (offset, end))

    def _drop_rejected(self) -> None:
        """Stop counting sources whose ranges the log has not accepted, or that another claimed."""
        for each in list(self.held.values()):
            if not self._is_accepted(each):
                self._vitals.rejected += 1
                log.warning(
                    "source %s: ranges of epoch %d are not accepted",
                    each.counter.source,
                    each.counter.epoch,
                )
                self.lose(each)

    def _is_accepted(self, held: Held) -> bool:
        states = self._tail.states(held.counter.source)
        for partition, state in states.items():
            if state is None or (state.epoch, state.owner) != (held.counter.epoch, self._owner):
                return False
            offset, end = held.probes.get(partition, (None, 0))
            if offset is not None and self._tail.position(partition) > offset:
                if state.applied < end:
                    return False
                del held.probes[partition]
        return True

    def lose(self, held: Held, *, smaller: bool = False) -> None:
        """Count a source no longer, but claim it again."""
        if self.held.get(held.partition) is held:
            del self.held[held.partition]
            self.lost.put_nowait((held.partition, smaller))

    async def settled(self) -> None:
        """Wait until the log has decided on all that was written."""
        await self._tail.passed(self._written)


def _in_order(range_: Range) -> tuple[bool, int]:
    """By event time, so that sources go on together; those of one source stay as they are."""
    time_ms = range_.max_time_ms
    return time_ms is not None, time_ms or 0
