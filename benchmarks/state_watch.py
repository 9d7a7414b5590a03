"""Follows what a worker has counted: its first counts, and the sums in its table's changelog."""

from collections.abc import AsyncIterator, Mapping
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

    Each owner writes an entry under a key of its own, and removes its predecessors' later. The one
    in force is that of the highest offset of `counts`.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._spans: dict[str, dict[bytes, tuple[int, Sums]]] = {}
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
                self._apply(record.key, record.value)

    def _apply(self, physical: bytes, raw: bytes | None) -> None:
        key = logical_key(physical)
        kind, _, rest = key.partition("/")
        if kind not in _LENGTHS_MS:
            return
        end, indicator, _ = rest.split("/", 2)
        entries = self._spans.setdefault(key, {})
        had = _in_force(entries)
        if raw is None:
            entries.pop(physical, None)
        else:
            entries[physical] = _sums_in(raw, Span(int(end), _LENGTHS_MS[kind]))
        now = _in_force(entries)
        sums = self.sums.get(indicator, NONE)
        self.sums[indicator] = Sums(
            sums.good + now.good - had.good, sums.total + now.total - had.total
        )


def _in_force(entries: Mapping[bytes, tuple[int, Sums]]) -> Sums:
    return max(entries.values(), default=(0, NONE))[1]


def _sums_in(raw: bytes, span: Span) -> tuple[int, Sums]:
    """The offset and sums of an entry `[offset, [panes, …]]`; none in a marker of a deletion."""
    offset, *content = orjson.loads(raw)
    if not content:
        return offset, NONE
    span.load(content[0][0])
    return offset, Sums(*span.sum(span.begin_ms, span.end_ms))


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
