"""Sends a flood, some of it in batches that well-meaning clients do not write."""

import asyncio
from collections.abc import Iterable
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.e2e.system import System
from tests.hostile.accounts import Accounts
from tests.hostile.stream import Sent, expected
from tests.services.process import ManagedProcess

CHUNK = 5_000  # records on their way at once
UNREADABLE = 20  # of each chunk, how many records have a header with a name that is no UTF-8


class Unreadable(str):
    """The name of a header that is written as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return b"ce_\xff"


async def send(
    system: System, worker: ManagedProcess, flood: Iterable[Sent], now_ms: int, accounts: Accounts
) -> None:
    """Send all, while the worker lives; `accounts` are told of each record, with its offset."""
    producer = AIOKafkaProducer(
        bootstrap_servers=system.broker,
        linger_ms=20,
        max_batch_size=1 << 18,
        max_request_size=4 << 20,
    )
    await producer.start()
    left = iter(flood)
    try:
        while chunk := list(islice(left, CHUNK)):
            assert worker.poll() is None, worker.tail()
            for part, how in ((chunk[:-UNREADABLE], _plainly), (chunk[-UNREADABLE:], _oddly)):
                offsets = await how(producer, system.prefix, part)
                for sent, offset in zip(part, offsets, strict=True):
                    source = f"{sent.message.topic}/{sent.partition}"
                    accounts.add(sent, source, offset, expected(sent, now_ms))
    finally:
        await producer.stop()


async def _plainly(producer: AIOKafkaProducer, prefix: str, part: list[Sent]) -> list[int]:
    """By the client; the offset of each."""
    futures = [
        await producer.send(
            prefix + sent.message.topic,
            sent.message.value,
            key=b"k",
            partition=sent.partition,
            headers=list(sent.message.headers),
        )
        for sent in part
    ]
    return [done.offset for done in await asyncio.gather(*futures)]


async def _oddly(producer: AIOKafkaProducer, prefix: str, part: list[Sent]) -> list[int]:
    """In a batch for each, whose last header has a name that cannot be read."""
    offsets = []
    for sent in part:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, False, -1, -1, -1, 1 << 20)
        headers = [*sent.message.headers, (Unreadable("name"), b"1.0")]
        batch.append(timestamp=None, key=b"k", value=sent.message.value, headers=headers)
        topic = prefix + sent.message.topic
        done = await producer.send_batch(batch, topic, partition=sent.partition)
        offsets.append((await done).offset)
    return offsets
