"""Follows what the evaluators have counted: the sums in their table's changelog."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.faust.entries import logical_key
from servicelevel.domain.panes import Span

POLL_MS = 20
_SPANS = ("q", "d")  # the keys of panes, see servicelevel.application.evaluate.records


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
        if kind not in _SPANS:
            return
        indicator = rest.split("/", 2)[1]
        had, now = self._spans.get(key, NONE), _sums_in(raw)
        self._spans[key] = now
        sums = self.sums.get(indicator, NONE)
        self.sums[indicator] = Sums(
            sums.good + now.good - had.good, sums.total + now.total - had.total
        )


def _sums_in(raw: bytes | None) -> Sums:
    """Of an entry `[offset, [panes, …]]`; none in a tombstone or a marker of a deletion."""
    entry = orjson.loads(raw) if raw else []
    if len(entry) < 2:
        return NONE
    panes = Span.load_panes(entry[1][0]).values()
    return Sums(sum(good for good, _ in panes), sum(total for _, total in panes))


@asynccontextmanager
async def watch_state(address: str, changelog: str, partitions: int) -> AsyncIterator[StateWatch]:
    """A watch over all of the changelog of `partitions` partitions."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(changelog, number) for number in range(partitions)])
        yield StateWatch(consumer)
    finally:
        await consumer.stop()
