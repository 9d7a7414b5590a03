"""Reading and writing whole topics, and what the evaluator's table holds, by code of our own."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition


class Seen(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


async def produce(address: str, topic: str, records: Iterable[tuple[int, bytes]]) -> int:
    """Write (partition, value) records; how many."""
    producer = AIOKafkaProducer(bootstrap_servers=address, linger_ms=50, max_batch_size=1 << 18)
    await producer.start()
    count = 0
    try:
        for partition, value in records:
            await producer.send(topic, value, partition=partition)
            count += 1
    finally:
        await producer.stop()
    return count


@asynccontextmanager
async def reader(address: str) -> Any:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_all(address: str, topic: str) -> list[Seen]:
    """Every record that the topic holds now, partition by partition."""
    return [seen async for seen in each(address, topic)]


async def each(address: str, topic: str) -> AsyncIterator[Seen]:
    """As `read_all`, one by one."""
    async with reader(address) as consumer:
        partitions = [TopicPartition(topic, n) for n in await partitions_of(consumer, topic)]
        ends = await consumer.end_offsets(partitions)
        starts = await consumer.beginning_offsets(partitions)
        consumer.assign(partitions)
        for partition, start in starts.items():
            consumer.seek(partition, start)
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                for r in records:
                    yield Seen(partition.partition, r.offset, r.key, r.value)


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    cluster = await consumer._client.fetch_all_metadata()
    return sorted(cluster.partitions_for_topic(topic) or ())


async def end_of(address: str, topic: str) -> int:
    """The sum of the end offsets of a topic's partitions."""
    async with reader(address) as consumer:
        partitions = [TopicPartition(topic, n) for n in await partitions_of(consumer, topic)]
        return sum((await consumer.end_offsets(partitions)).values())


async def table(address: str, changelog: str) -> dict[tuple[int, str], Any]:
    """(partition, logical key) → value, of each the one with the highest counts offset."""
    live: dict[tuple[int, bytes], bytes | None] = {}
    for seen in await read_all(address, changelog):
        live[seen.partition, seen.key or b""] = seen.value
    best: dict[tuple[int, str], tuple[int, Any]] = {}
    for (partition, key), value in live.items():
        if value is None:
            continue
        logical = key.decode().partition("/")[2].rpartition("#")[0]
        offset, content = (*json.loads(value), None)[:2]  # without a value: deleted there
        if offset >= best.get((partition, logical), (-1, None))[0]:
            best[partition, logical] = (offset, content)
    return {key: content for key, (_, content) in best.items() if content is not None}


def panes(entries: dict[tuple[int, str], Any]) -> Iterator[tuple[str, int, int, int]]:
    """(indicator, pane end, good, total) of all stored panes."""
    for series, end, good, total in panes_of_series(entries):
        yield series.split("/")[0], end, good, total


def panes_of_series(entries: dict[tuple[int, str], Any]) -> Iterator[tuple[str, int, int, int]]:
    """(indicator/group, pane end, good, total) of all stored panes."""
    days = {
        (partition, key.split("/", 2)[2], int(key.split("/")[1])): value[1]
        for (partition, key), value in entries.items()
        if key.startswith("d/")
    }
    for (partition, key), value in entries.items():
        if key[0] not in "qd" or key[1] != "/":
            continue
        end, series = int(key.split("/")[1]), key.split("/", 2)[2]
        day_end = -(-end // 86_400_000) * 86_400_000
        if key[0] == "q" and end <= days.get((partition, series, day_end), 0):
            continue  # moved into its day
        step, first, totals, bads = value[0] or (0, 0, [], [])
        begin = end - (900_000 if key[0] == "q" else 86_400_000)
        for slot, total in enumerate(totals):
            bad = bads[slot] if bads else 0
            if total:
                yield series, begin + (first + slot + 1) * step, total - bad, total
        revisions = value[1] if key[0] == "q" else value[3]
        for i in range(0, len(revisions), 4):
            yield series, revisions[i], revisions[i + 2], revisions[i + 3]
