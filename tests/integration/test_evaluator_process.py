"""Evaluator processes that are killed and started again add up every message once."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from servicelevel.adapters.faust.app import application_id, changelog_topic
from servicelevel.adapters.faust.entries import PartitionedEntries
from servicelevel.adapters.faust.state import FaustState
from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.application.evaluate.records import PROGRESS_KEY
from servicelevel.domain.counts import Cell, CountsMessage, Range
from servicelevel.schemas.counts import encode_counts
from servicelevel.settings import Settings
from tests.conftest import Broker
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess

PARTITIONS = 2
MESSAGES = 4_000
INDICATORS = 5
WITHIN_S = 60


class Table:
    """Follows the evaluator's changelog topic and shows the sums in it."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        topic = changelog_topic(settings)
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        self._entries = PartitionedEntries()

    async def until(self, messages: int) -> dict[str, int]:
        """The sums by `partition/indicator`, when so many messages of each partition are in."""
        async with asyncio.timeout(WITHIN_S):
            while any(self._applied(number) < messages for number in range(PARTITIONS)):
                await self._read()
        return {
            f"{number}/{key}": entry.value
            for number in range(PARTITIONS)
            for key, entry in self._state(number).scan()
            if key.startswith("sum/")
        }

    async def _read(self) -> None:
        for batch in (await self._consumer.getmany(timeout_ms=100)).values():
            for record in batch:
                if record.value is None:
                    self._entries.pop(record.key, None)
                else:
                    self._entries[record.key] = record.value

    def _applied(self, number: int) -> int:
        progress = self._state(number).get(PROGRESS_KEY)
        return 0 if progress is None else progress.offset + 1

    def _state(self, number: int) -> FaustState:
        return FaustState(number, self._entries.partition(number), "reader")


def worker(settings: Settings, log: Path) -> ManagedProcess:
    """A worker process of these settings."""
    return ManagedProcess(
        [sys.executable, "-m", "tests.faust_sums.worker"], log=log, env=_environment(settings)
    )


def _environment(settings: Settings) -> Mapping[str, str]:
    return {
        "SERVICELEVEL_BROKERS": settings.brokers,
        "SERVICELEVEL_TOPIC_PREFIX": settings.topic_prefix,
        "SERVICELEVEL_GROUP": settings.group,
        "SERVICELEVEL_COUNTS_PARTITIONS": str(PARTITIONS),
        "SERVICELEVEL_SESSION_TIMEOUT_MS": str(settings.session_timeout_ms),
    }


async def prepared(brokers: str, topic_prefix: str) -> Settings:
    """Settings of a group of their own, whose topics are there."""
    settings = Settings(
        brokers=brokers,
        topic_prefix=topic_prefix,
        group=f"{topic_prefix}g",
        partitions=1,
        counts_partitions=PARTITIONS,
        session_timeout_ms=6_000,
    )
    await create_topics({"bootstrap_servers": brokers}, topic_specs(settings), 1)
    return settings


def consumer_at(settings: Settings) -> AIOKafkaConsumer:
    """One that reads from the start what it is assigned."""
    return AIOKafkaConsumer(bootstrap_servers=settings.brokers, auto_offset_reset="earliest")


async def produce(settings: Settings, first: int, last: int) -> None:
    """Messages `first` to `last` of each partition: one event of every indicator each."""
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        for number in range(first, last):
            cells = tuple(Cell(f"i{n}", "", 10_000, 0, 1) for n in range(INDICATORS))
            message = CountsMessage(
                0, ranges=(Range("requests/0", 1, number, number + 1, None, cells=cells),)
            )
            for partition in range(PARTITIONS):
                await producer.send(
                    settings.topic("counts"), encode_counts(message), partition=partition
                )


async def test_a_group_without_its_offsets_goes_on_where_the_table_is(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    """Every message comes again, and none is counted again."""
    settings = await prepared(kafka.address, topic_prefix)
    await produce(settings, 0, 200)
    log = tmp_path / "worker.log"
    async with consumer_at(settings) as consumer:
        table = Table(settings, consumer)
        with worker(settings, log) as process:
            await table.until(200)
            assert process.stop(20) == 0, process.tail()
        await asyncio.to_thread(kafka.delete_group, application_id(settings))
        await produce(settings, 200, 300)
        with worker(settings, log) as process:
            sums = await table.until(300)
            assert process.stop(20) == 0, process.tail()
    assert set(sums.values()) == {300}


async def test_sums_are_exact_after_kills(
    broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    settings = await prepared(broker.address, topic_prefix)
    await produce(settings, 0, MESSAGES // 2)
    log = tmp_path / "worker.log"
    async with consumer_at(settings) as consumer:
        table = Table(settings, consumer)
        with worker(settings, log) as process:
            await table.until(100)
            process.kill()
        with worker(settings, log) as process:
            await table.until(MESSAGES // 2)
            producing = asyncio.create_task(produce(settings, MESSAGES // 2, MESSAGES))
            await table.until(MESSAGES // 2 + 100)
            process.kill()
        await producing
        with worker(settings, log) as process:
            sums = await table.until(MESSAGES)
            assert process.stop(20) == 0, process.tail()
    expected = {
        f"{partition}/sum/i{n}": MESSAGES
        for partition in range(PARTITIONS)
        for n in range(INDICATORS)
    }
    assert sums == expected
