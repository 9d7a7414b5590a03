"""Records handed over raw are the records that aiokafka gives."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from servicelevel.adapters.kafka.records import RecordList, flat, hand_over_raw
from servicelevel.application.ports import RawRecord
from tests.conftest import Broker
from tests.services.kafka import KafkaBroker

COUNT = 500


@pytest.fixture
async def partition(broker: Broker, topic_prefix: str) -> TopicPartition:
    """A partition with compressed and plain batches, keys, headers and tombstones."""
    topic = f"{topic_prefix}records"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    for compression in (None, "gzip"):
        producer = AIOKafkaProducer(
            bootstrap_servers=broker.address, compression_type=compression, linger_ms=20
        )
        await producer.start()
        for n in range(COUNT // 2):
            await producer.send(
                topic,
                value=None if n % 60 == 9 else b"value %d" % n,
                key=None if n % 3 else b"key %d" % n,
                headers=[("h", b"%d" % n)] if n % 5 == 0 else None,
                timestamp_ms=1_767_225_600_000 + n,
            )
        await producer.stop()
    return TopicPartition(topic, 0)


async def read(
    broker: Broker,
    partition: TopicPartition,
    *,
    raw: bool,
    start: int,
    max_records: int | None,
    end: int = COUNT,
) -> list[RawRecord]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="none")
    await consumer.start()
    try:
        if raw:
            assert hand_over_raw(consumer)
        consumer.assign([partition])
        consumer.seek(partition, start)
        records: list[RawRecord] = []
        while await consumer.position(partition) < end:
            for some in (await consumer.getmany(timeout_ms=500, max_records=max_records)).values():
                records += some
        return records
    finally:
        await consumer.stop()


@pytest.mark.parametrize("start", [0, 123])
async def test_lists_hold_the_same(broker: Broker, partition: TopicPartition, start: int) -> None:
    slow = await read(broker, partition, raw=False, start=start, max_records=None)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.address,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=2_000,  # so that some fetches begin within a batch
    )
    await consumer.start()
    try:
        assert hand_over_raw(consumer, in_lists=True)
        consumer.assign([partition])
        consumer.seek(partition, start)
        records: list[RawRecord] = []
        while await consumer.position(partition) < COUNT:
            for some in (await consumer.getmany(timeout_ms=500)).values():
                records += flat(some)
                assert await consumer.position(partition) == records[-1].offset + 1
    finally:
        await consumer.stop()
    assert fields(records) == fields(slow)


@pytest.mark.real
async def test_aborted_transactions_are_left_out(kafka: KafkaBroker, topic_prefix: str) -> None:
    partition = TopicPartition(f"{topic_prefix}transactions", 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic(partition.topic, 1, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id=topic_prefix)
    await producer.start()
    for number in range(6):
        await producer.begin_transaction()
        for each in range(10):
            await producer.send_and_wait(partition.topic, b"%d" % (number * 10 + each), partition=0)
        await (producer.abort_transaction() if number % 2 else producer.commit_transaction())
    await producer.stop()

    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.address,
        auto_offset_reset="none",
        isolation_level="read_committed",
    )
    await consumer.start()
    values: list[int] = []
    try:
        assert hand_over_raw(consumer, in_lists=True)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        while await consumer.position(partition) < 66:  # a marker ends each transaction
            for some in (await consumer.getmany(timeout_ms=500)).values():
                values += [int(record.value or b"") for record in flat(some)]
    finally:
        await consumer.stop()
    assert values == [number for number in range(60) if number // 10 % 2 == 0]


def test_records_that_are_not_in_lists_are_flat_already() -> None:
    assert flat([]) == []
    assert list(flat(["a", "b"])) == ["a", "b"]
    assert list(flat([RecordList("ab"), RecordList("c")])) == ["a", "b", "c"]


def fields(records: list[RawRecord]) -> list[tuple[object, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


@pytest.mark.parametrize("max_records", [None, 7])
@pytest.mark.parametrize("start", [0, 123])
async def test_both_ways_give_the_same(
    broker: Broker, partition: TopicPartition, start: int, max_records: int | None
) -> None:
    slow = await read(broker, partition, raw=False, start=start, max_records=max_records)
    fast = await read(broker, partition, raw=True, start=start, max_records=max_records)
    assert fields(fast) == fields(slow)
    assert [record.offset for record in fast] == list(range(start, COUNT))
    assert type(slow[0]).__name__ == "ConsumerRecord"
    assert type(fast[0]).__name__ != "ConsumerRecord"


class Unreadable(str):
    """The name of a header that aiokafka writes as bytes that are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:  # type: ignore[override]
        return b"h\xff"


@pytest.mark.parametrize("compression", [0, 1])
async def test_a_name_of_a_header_that_is_no_utf_8_stops_nothing(
    broker: Broker, partition: TopicPartition, compression: int
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    batch = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(2, compression, False, -1, -1, -1, 10_000)
    for n in range(3):
        name = Unreadable("name") if n == 1 else "name"
        headers = [(name, b"1"), ("other", None)]
        batch.append(timestamp=1, key=b"k", value=b"%d" % n, headers=headers)
    await (await producer.send_batch(batch, partition.topic, partition=0))
    await producer.send_and_wait(partition.topic, b"after", partition=0)
    await producer.stop()

    records = await read(
        broker, partition, raw=True, start=COUNT - 1, max_records=None, end=COUNT + 4
    )
    assert [(r.offset, r.value) for r in records[1:]] == [
        (COUNT, b"0"),
        (COUNT + 1, b"1"),
        (COUNT + 2, b"2"),
        (COUNT + 3, b"after"),
    ]
    assert [list(r.headers) for r in records[1:]] == [
        [("name", b"1"), ("other", None)],
        [("h\ufffd", b"1"), ("other", None)],
        [("name", b"1"), ("other", None)],
        [],
    ]


async def test_a_client_built_otherwise_is_left_alone(broker: Broker) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, value_deserializer=bytes.decode)
    assert not hand_over_raw(consumer)  # not started: no fetcher
    await consumer.start()
    await asyncio.sleep(0)  # its tasks must have begun before they can be ended
    try:
        assert not hand_over_raw(consumer)  # the deserializer would be skipped
    finally:
        await consumer.stop()
