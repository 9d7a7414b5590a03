"""Follows what a worker has counted: its first counts, and the sums in its table's changelog."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.faust.entries import logical_key
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.span import Span
from servicelevel.domain.time import DAY_MS
from servicelevel.schemas.counts import decode_ledger

POLL_MS = 20
# the keys of panes, see servicelevel.application.evaluate.records
_LENGTHS_MS = {"q": SPAN_MS, "d": DAY_MS}


class Sums(NamedTuple):
    """Events of one indicator, over all its panes."""

    good: int
    total: int


NONE = Sums(0, 0)


class StateWatch:
    """`consumer` is started and assigned to the changelog from its start.

    One evaluator writes at a time here, so the last entry of a key is the one in force.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._spans: dict[str, Sums] = {}
        self.sums: dict[str, Sums] = {}

    @property
    def counted(self) -> int:
        """Events that are in the state, each as often as it has indicators."""
        return sum(sums.total for sums in self.sums.values())

    async def read(self) -> None:
        """Take in what was written since the last call, waiting for it a moment."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=5_000)
        for records in batches.values():
            for record in records:
                self._apply(logical_key(record.key), record.value)

    def _apply(self, key: str, raw: bytes | None) -> None:
        kind, _, rest = key.partition("/")
        if kind not in _LENGTHS_MS:
            return
        end, indicator, _ = rest.split("/", 2)
        had, now = self._spans.get(key, NONE), _sums_in(raw, Span(int(end), _LENGTHS_MS[kind]))
        self._spans[key] = now
        sums = self.sums.get(indicator, NONE)
        self.sums[indicator] = Sums(
            sums.good + now.good - had.good, sums.total + now.total - had.total
        )


def _sums_in(raw: bytes | None, span: Span) -> Sums:
    """Of an entry `[offset, [panes, …]]`; none in a tombstone or a marker of a deletion."""
    entry = orjson.loads(raw) if raw else []
    if len(entry) < 2:
        return NONE
    span.load(entry[1][0])
    return Sums(*span.sum(span.begin_ms, span.end_ms))


class CountsWatch:
    """`first` is how many events the first message on `counts` with any tells of; 0 before it.

    `consumer` is started and assigned to the topic from its start.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.first = 0

    async def read(self) -> None:
        """Look at what was written since the last call, waiting for it a moment."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MS)
        for record in (record for records in batches.values() for record in records):
            if not self.first:
                ranges = decode_ledger(record.value).ranges
                self.first = sum(range_.end - range_.start for range_ in ranges)


@asynccontextmanager
async def watch(address: str, topic: str, partitions: int) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer assigned to the whole topic from its start."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        yield consumer
    finally:
        await consumer.stop()


async def lag(consumer: AIOKafkaConsumer) -> int:
    """How many records it has not read yet."""
    ends = await consumer.end_offsets(list(consumer.assignment()))
    return sum([end - await consumer.position(part) for part, end in ends.items()])
