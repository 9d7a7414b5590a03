"""The combiner: counts the source partitions it is given and writes the sums to `counts`.

What is valid of its writing is decided by the log (`domain/ledger.py`), read through the tail;
so nothing here has to be atomic, and a process that is stalled, or thinks it owns what it no
longer does, can write what it likes.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from servicelevel.adapters.kafka.claiming import Claimed, Claimer
from servicelevel.adapters.kafka.clients import Clients, open_clients
from servicelevel.adapters.kafka.connection import slow_client_warning
from servicelevel.adapters.kafka.counts_writer import CountsWriter
from servicelevel.adapters.kafka.flushing import Asides, Flusher
from servicelevel.adapters.kafka.group import (
    SourceTopics,
    read_commits,
    read_topics,
    source_topics,
    unreachable,
)
from servicelevel.adapters.kafka.reading import SourceReader
from servicelevel.adapters.kafka.session import CombinerSession
from servicelevel.adapters.kafka.tail import CountsTail
from servicelevel.application.claims import gap_letter
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.commits import tail_starts
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import RawRecord, WallClock
from servicelevel.application.repeats import Repeats
from servicelevel.application.source_counter import SourceCounter
from servicelevel.application.vitals import CombinerVitals
from servicelevel.domain.outputs import DeadLetter
from servicelevel.settings import Settings

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 900_000  # below the brokers' default message.max.bytes


class KafkaCombiner:
    """One process's combiner; `run` it once.

    `owner` is a name that no other process has or had. `mappings` tells how events of a topic
    (name without prefix) are to be read, where they are of another shape. `vitals` may be read
    at any time.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        clock: WallClock,
        owner: str,
        asides: Asides,
        *,
        mappings: Mapping[str, SourceMapping] | None = None,
        vitals: CombinerVitals | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self.vitals = CombinerVitals() if vitals is None else vitals
        self._settings = settings
        self._plan = plan
        self._clock = clock
        self._owner = owner
        self._asides = asides
        self._mappings = dict(mappings or {})
        self._max_message_bytes = max_message_bytes

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set; then flush, commit and leave the group.

        Raises:
            DependencyError: the brokers cannot be reached, or a topic is not as needed.
            GapError: counts were deleted before they were read, or records, unless the settings
                say to go on.
            StateError: a message on `counts` cannot be read, or a topic is not that which was
                counted before.
        """
        if warning := slow_client_warning():
            log.warning(warning)
        try:
            topics = source_topics(self._settings, await read_topics(self._settings))
            async with open_clients(
                self._settings, self._max_message_bytes, len(topics.all())
            ) as clients:
                tail = await self._tail(clients, topics)
                await self._session(clients, topics, tail).run(stop)
        except KafkaError as error:
            raise unreachable(self._settings, error) from error

    async def _tail(self, clients: Clients, topics: SourceTopics) -> CountsTail:
        name = self._settings.topic("counts")
        partitions = [TopicPartition(name, n) for n in range(self._settings.counts_partitions)]
        first = await clients.lookup.beginning_offsets(partitions)
        commits = await read_commits(self._settings, topics.all())
        starts = tail_starts(
            [topics.name(partition) for partition in topics.all()],
            {topics.name(partition): found for partition, found in commits.items()},
            [first[partition] for partition in partitions],
        )
        return CountsTail(clients.tail, clients.lookup, name, starts)

    def _session(self, clients: Clients, topics: SourceTopics, tail: CountsTail) -> CombinerSession:
        clock, owner = self._clock, self._owner
        writer = CountsWriter(
            clients.producer, self._settings.topic("counts"), self._max_message_bytes
        )
        skip_gaps = self._settings.on_gap == "continue"
        flusher = Flusher(tail, writer, self._asides, clock, owner, self.vitals)
        return CombinerSession(
            clients.sources,
            topics,
            tail,
            Claimer(
                clients.sources,
                clients.lookup,
                tail,
                writer,
                topics,
                clock,
                owner,
                partial(read_topics, self._settings),
                skip_gaps=skip_gaps,
                dedup_records=self._settings.dedup_records,
            ),
            flusher,
            SourceReader(clients.sources, flusher, clock, self.vitals, skip_gaps=skip_gaps),
            partial(self._counter, topics, writer),
            self._settings.flush_interval_ms / 1000,
            clock,
            self.vitals,
        )

    def _counter(
        self,
        topics: SourceTopics,
        writer: CountsWriter,
        partition: TopicPartition,
        claimed: Claimed,
        max_records: int,
    ) -> SourceCounter:
        source, topic = topics.name(partition), topics.topic(partition)
        kind, settings = topics.kinds[topic], self._settings
        limits = DecodeLimits(settings.max_event_bytes, settings.max_future_ms)
        mapping = self._mappings.get(topic)

        def decode(records: Sequence[RawRecord], now_ms: int) -> tuple[Batch, list[DeadLetter]]:
            return decode_batch(
                records,
                topic=topic,
                partition=partition.partition,
                kind=kind,
                now_ms=now_ms,
                limits=limits,
                mapping=mapping,
            )

        accumulator = SourceAccumulator(
            source,
            kind,
            self._plan,
            allowed_lateness_ms=settings.allowed_lateness_ms,
            late_horizon_ms=settings.late_horizon_ms,
            max_time_ms=claimed.resume.max_time_ms,
        )
        counter = SourceCounter(
            source,
            claimed.epoch,
            claimed.resume,
            accumulator,
            decode,
            # Incidents and changes are rare: read to the end, they hold no watermark back.
            idle_timeout_ms=settings.idle_timeout_ms if kind == "request" else 0,
            now_ms=self._clock(),
            max_bytes=writer.max_bytes,
            max_records=max_records,
            repeats=Repeats(settings.dedup_records) if settings.dedup_records else None,
        )
        if claimed.resume.gap_end is not None:
            letter = gap_letter(topic, partition.partition, claimed.resume)
            log.warning("source %s: %s; going on after them", source, letter.detail)
            counter.lose(letter, claimed.resume.gap_end)
        return counter
