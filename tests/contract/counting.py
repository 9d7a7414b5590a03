"""What the combiner's tests share: topics, events, and counts as an evaluator adds them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from servicelevel.adapters.kafka.combiner import KafkaCombiner
from servicelevel.adapters.kafka.flushing import Asides
from servicelevel.application.classify import Plan
from servicelevel.domain.counts import CountsMessage, Tally
from servicelevel.domain.ledger import Ledger, SourceState
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.time import pane_end
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.counts import decode_counts, encode_counts
from servicelevel.settings import Settings
from tests.services.process import wait_until_async

START_MS = 1_767_225_600_000
SERVICES = ("cart", "checkout", "search", "pay", "mail")
PANE_MS = 10_000
TIMEOUT_S = 60

Sums = dict[tuple[str, str, int], tuple[int, int]]


def indicator(service: str) -> Indicator:
    return Indicator(f"i-{service}", "request", service, "", "status_code < 500")


def catalogue(services: Iterable[str] = SERVICES) -> Catalogue:
    return Catalogue.of(
        Slo(
            name=f"slo-{service}",
            service=service,
            window_ms=3_600_000,
            objectives=(Objective("all", indicator(service), Fraction(99, 100), ()),),
            digest="d",
        )
        for service in services
    )


def event(number: int, *, time_ms: int | None = None) -> dict[str, Any]:
    return {
        "id": f"e{number}",
        "time": START_MS + number if time_ms is None else time_ms,
        "service": SERVICES[number % len(SERVICES)],
        "status_code": 500 if number % 7 == 0 else 200,
    }


def expected(events: Iterable[Mapping[str, Any]]) -> Sums:
    """Counted in the simplest way there is."""
    good: Counter[tuple[str, str, int]] = Counter()
    total: Counter[tuple[str, str, int]] = Counter()
    for each in events:
        key = (f"i-{each['service']}", "", pane_end(each["time"], PANE_MS))
        total[key] += 1
        good[key] += each["status_code"] < 500
    return {key: (good[key], n) for key, n in total.items()}


class Clock:
    """A wall clock that tests set; ahead of all events."""

    def __init__(self) -> None:
        self.now_ms = START_MS + 3_600_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class RecordingWriter:
    """Keeps dead letters and late events instead of sending them."""

    sent: list[tuple[str, bytes | None, bytes]] = field(default_factory=list)

    async def send_messages(self, messages: Iterable[tuple[str, bytes | None, bytes]]) -> None:
        self.sent.extend(messages)

    def count(self, topic: str) -> int:
        return sum(name == topic for name, _, _ in self.sent)


@dataclass
class Counts:
    """`counts` as an evaluator reads it: what is accepted, and how much is not."""

    ledgers: dict[int, Ledger] = field(default_factory=dict)
    sums: Sums = field(default_factory=dict)
    ignored: int = 0
    messages: int = 0
    largest_bytes: int = 0

    def add(self, partition: int, message: CountsMessage) -> None:
        ledger = self.ledgers.setdefault(partition, Ledger())
        self.messages += 1
        for claim in message.claims:
            ledger.claim(claim)
        for range_ in message.ranges:
            if not ledger.apply(range_):
                self.ignored += 1
                continue
            for cell in range_.cells:
                key = (cell.indicator, cell.group, cell.pane_end_ms)
                good, total = self.sums.get(key, (0, 0))
                self.sums[key] = (good + cell.good, total + cell.total)

    def states(self, source: str) -> list[SourceState | None]:
        return [self.ledgers[n].sources.get(source) for n in sorted(self.ledgers)]

    def all_idle(self, sources: Iterable[str]) -> bool:
        """Whether every source is marked idle in every counts partition."""
        found = [state for source in sources for state in self.states(source)]
        return bool(found) and all(state is not None and state.idle for state in found)

    def tally(self, partition: int = 0) -> Tally:
        total = Tally()
        for state in self.ledgers[partition].sources.values():
            total = total.plus(state.tally)
        return total


class World:
    """Topics of one test on one broker."""

    def __init__(self, settings: Settings, clock: Callable[[], int] | None = None) -> None:
        self.settings = settings
        self.clock = Clock()
        self._combiners_clock = clock or self.clock
        self.writer = RecordingWriter()
        self.events: list[dict[str, Any]] = []

    async def create_topics(self, partitions: int = 4) -> None:
        names = {self.settings.topic("requests"), self.settings.topic("counts")}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.brokers)
        await admin.start()
        try:
            await admin.create_topics(
                [
                    NewTopic(self.settings.topic("requests"), partitions, 1),
                    NewTopic(self.settings.topic("counts"), self.settings.counts_partitions, 1),
                ]
            )

            async def are_there() -> bool:
                return names <= set(await admin.list_topics())

            await wait_until_async(are_there, 30, what="the topics made")
        finally:
            await admin.close()

    def letters(self) -> list[dict[str, Any]]:
        """All dead letters that were sent."""
        return [orjson.loads(value) for name, _, value in self.writer.sent if name == "dead-letter"]

    async def produce(self, events: Iterable[dict[str, Any]], *, partitions: int = 4) -> None:
        batch = list(events)
        self.events += batch
        await self.write(
            "requests", [(i % partitions, orjson.dumps(e)) for i, e in enumerate(batch)]
        )

    async def write(self, topic: str, values: Iterable[tuple[int, bytes]]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.brokers, acks="all")
        await producer.start()
        try:
            for partition, value in values:
                await producer.send(self.settings.topic(topic), value, partition=partition)
            await producer.flush()
        finally:
            await producer.stop()

    async def write_counts(self, partition: int, message: CountsMessage) -> None:
        await self.write("counts", [(partition, encode_counts(message))])

    def combiner(self, owner: str, **options: Any) -> KafkaCombiner:
        return KafkaCombiner(
            self.settings,
            Plan(catalogue(), self.settings.counts_partitions),
            self._combiners_clock,
            owner,
            Asides(self.writer, dead_letter_event, late_event),
            **options,
        )

    @asynccontextmanager
    async def running(self, owner: str, **options: Any) -> AsyncIterator[KafkaCombiner]:
        """A combiner at work; stopped cleanly in the end."""
        combiner, stop = self.combiner(owner, **options), asyncio.Event()
        task = asyncio.create_task(combiner.run(stop))
        try:
            yield combiner
        finally:
            stop.set()
            await task

    async def read_counts(self) -> Counts:
        """All of `counts` as it is now."""
        topic = self.settings.topic("counts")
        partitions = [TopicPartition(topic, n) for n in range(self.settings.counts_partitions)]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.brokers, auto_offset_reset="earliest"
        )
        await consumer.start()
        counts = Counts()
        try:
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            for partition in partitions:
                consumer.seek(partition, 0)
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        counts.largest_bytes = max(counts.largest_bytes, len(record.value))
                        counts.add(partition.partition, decode_counts(record.value))
        finally:
            await consumer.stop()
        return counts

    async def until_counted(self) -> Counts:
        """Wait until all events produced are counted; TimeoutError if they never are."""
        return await self.until(lambda counts: counts.sums == expected(self.events))

    async def until_read(self, read: int) -> Counts:
        """Wait until each counts partition is told that so many were read, counted or not.

        Where nothing is counted a partition is told with the heartbeat: time goes on.
        """

        def told(counts: Counts) -> bool:
            self.clock.now_ms += 1_000
            partitions = range(self.settings.counts_partitions)
            return all(n in counts.ledgers and counts.tally(n).read == read for n in partitions)

        return await self.until(told)

    async def until(
        self, condition: Callable[[Counts], object], timeout: float = TIMEOUT_S
    ) -> Counts:
        counts = Counts()

        async def seen() -> bool:
            nonlocal counts
            counts = await self.read_counts()
            return bool(condition(counts))

        await wait_until_async(seen, timeout, what="the counts expected", interval=0.2)
        return counts


async def world_of(brokers: str, topic_prefix: str, **others: Any) -> World:
    """One whose topics are there, with short waits; `others` are further settings."""
    world = World(
        Settings(
            brokers=brokers,
            topic_prefix=topic_prefix,
            group=f"{topic_prefix}sl",
            flush_interval_ms=50,
            session_timeout_ms=6_000,
            **others,
        )
    )
    await world.create_topics()
    return world
