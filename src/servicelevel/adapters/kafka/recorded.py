"""Records of the source topics for a replay: read without a group, and nothing is committed.

The replay pulls records, partition by partition, from code that waits for nothing; so the event
loop of the client runs only while a partition has none at hand. What is fetched ahead is at most
`_FETCH_BYTES` for each partition.
"""

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from servicelevel.adapters.kafka.connection import client_options, start, stop_client
from servicelevel.adapters.kafka.group import (
    FACT_TOPICS,
    SourceTopics,
    read_topics,
    unreachable,
)
from servicelevel.adapters.kafka.records import hand_over_raw
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import Meter, RawRecord
from servicelevel.application.replay import Recording
from servicelevel.application.topic_range import Log, TopicRange, extent
from servicelevel.domain.model import EventKind
from servicelevel.errors import DependencyError, TopicsError, UsageError
from servicelevel.settings import Settings

_T = TypeVar("_T")
_POLL_MS = 200
_FETCH_WAIT_MS = 100
_FETCH_BYTES = 4 * 1024 * 1024
_PULLED = 20_000  # records
_SILENT_S = 30
"""A broker that gives nothing for so long, where there are records, is called unreachable."""

log = structlog.get_logger(__name__)


class Extent(NamedTuple):
    """The offsets of a partition that are read: from `start` up to, and not with, `end`."""

    partition: TopicPartition
    start: int
    end: int


class RecordedTopics:
    """The records of a range, as it was when it was opened; they may be read more than once."""

    def __init__(
        self,
        runner: asyncio.Runner,
        consumer: AIOKafkaConsumer,
        settings: Settings,
        extents: Sequence[Extent],
        topics: SourceTopics,
        silent_s: float = _SILENT_S,
    ) -> None:
        self._runner = runner
        self._silent_s = silent_s
        self._consumer = consumer
        self._settings = settings
        self._extents = extents
        self._topics = topics

    @property
    def size(self) -> int:
        """How many offsets the range has."""
        return sum(end - start for _, start, end in self._extents)

    def recordings(self, mappings: Mapping[str, SourceMapping], meter: Meter) -> list[Recording]:
        """A recording for each partition, in the order of topics and partitions.

        Reading them raises DependencyError. `mappings` is by topic, `meter` is told of offsets.
        """
        return [
            Recording(
                topic := self._topics.topic(extent.partition),
                self._topics.kinds[topic],
                self._records(extent, meter),
                mappings.get(topic),
            )
            for extent in self._extents
        ]

    def _records(self, extent: Extent, meter: Meter) -> Iterator[RawRecord]:
        position = extent.start
        while position < extent.end:
            records, reached = self._run(self._pull(extent, position))
            meter.advance(min(reached, extent.end) - position)
            position = reached
            yield from (record for record in records if record.offset < extent.end)

    async def _pull(self, extent: Extent, position: int) -> tuple[Sequence[RawRecord], int]:
        """Records and the offset to go on at; records of control move it, too.

        A partition is fetched from its first pull to its last one only.
        """
        partition = extent.partition
        if position == extent.start:
            self._consumer.seek(partition, position)
            self._consumer.resume(partition)
        async with asyncio.timeout(self._silent_s):
            while (reached := await self._consumer.position(partition)) == position:
                found = await self._consumer.getmany(
                    partition, timeout_ms=_POLL_MS, max_records=_PULLED
                )
                if records := found.get(partition):
                    reached = await self._consumer.position(partition)
                    break
            else:
                records = ()
        if reached >= extent.end:
            self._consumer.pause(partition)
        return records, reached

    def _run(self, work: Awaitable[_T]) -> _T:
        async def awaited() -> _T:
            return await work

        try:
            return self._runner.run(awaited())
        except OffsetOutOfRangeError as error:
            raise DependencyError(
                f"records were deleted before they were read ({error!r}): the range begins where "
                "retention deletes; ask for a later --from"
            ) from error
        except TimeoutError as error:
            raise DependencyError(
                f"the Kafka brokers at {self._settings.brokers} gave no records for "
                f"{self._silent_s:g} s"
            ) from error
        except KafkaError as error:
            raise unreachable(self._settings, error) from error


@contextmanager
def open_topics(settings: Settings, wanted: TopicRange) -> Iterator[RecordedTopics]:
    """The records of a range; call it where no event loop runs.

    Raises:
        DependencyError: the brokers cannot be reached, or a topic is missing.
        UsageError: an offset or a topic that is not there is named.
    """
    with asyncio.Runner() as runner:
        topics = runner.run(_topics(settings, wanted))
        wanted = wanted.without_prefix(settings.topic_prefix, frozenset(topics.kinds))
        consumer = runner.run(_consumer(settings))
        try:
            try:
                extents = runner.run(_extents(consumer, topics, wanted))
            except (KafkaError, TimeoutError) as error:
                raise unreachable(settings, error) from error
            yield RecordedTopics(runner, consumer, settings, extents, topics)
        finally:
            runner.run(stop_client(consumer))


async def _topics(settings: Settings, wanted: TopicRange) -> SourceTopics:
    found = await read_topics(settings)
    kinds: dict[str, EventKind] = dict.fromkeys(settings.request_topics, "request")
    kinds |= FACT_TOPICS
    chosen = wanted.without_prefix(settings.topic_prefix, frozenset(kinds)).topics
    # As for the combiner, topics of incidents and changes need not be there.
    needed = chosen or settings.request_topics
    if missing := [settings.topic(t) for t in needed if settings.topic(t) not in found]:
        raise TopicsError(
            f"no topic {', '.join(missing)} at {settings.brokers}: look at "
            "SERVICELEVEL_TOPIC_PREFIX and SERVICELEVEL_REQUEST_TOPICS, or name a topic that is "
            "there with --topic"
        )
    kinds = {
        topic: kind
        for topic, kind in kinds.items()
        if settings.topic(topic) in found and (not chosen or topic in chosen)
    }
    partitions = {topic: found[settings.topic(topic)] for topic in kinds}
    return SourceTopics(settings.topic_prefix, kinds, partitions)


async def _consumer(settings: Settings) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **client_options(settings, "replay"),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    await start(consumer, settings)
    hand_over_raw(consumer)
    return consumer


async def _extents(
    consumer: AIOKafkaConsumer, topics: SourceTopics, wanted: TopicRange
) -> list[Extent]:
    partitions = topics.all()
    sources = [topics.name(partition) for partition in partitions]
    for named in (*wanted.start.offsets, *wanted.end.offsets):
        if named not in sources:
            raise UsageError(f"`{named}`: there is no partition of that number")
    firsts = await consumer.beginning_offsets(partitions)
    lasts = await _ends(consumer, partitions)
    starts = await _at(consumer, partitions, wanted.start.time_ms)
    ends = await _at(consumer, partitions, wanted.end.time_ms)
    found = []
    for source, partition in zip(sources, partitions, strict=True):
        known = Log(firsts[partition], max(firsts[partition], lasts[partition]))
        begin, end = extent(source, known, wanted, starts[partition], ends[partition])
        if begin == known.first > 0 and source not in wanted.start.offsets and end > begin:
            log.info("records before the first are deleted", source=source, first=begin)
        found.append(Extent(partition, begin, end))
    return found


async def _ends(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where the logs end now. Some brokers answer too low, and tell it right with a fetch only."""
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    consumer.assign(partitions)
    for partition, end in ends.items():
        consumer.seek(partition, end)
    async with asyncio.timeout(_SILENT_S):
        while any(consumer.highwater(partition) is None for partition in partitions):
            await consumer.getmany(timeout_ms=_FETCH_WAIT_MS, max_records=1)
    for partition in partitions:
        # What is not committed yet, by a producer's transaction, is not read.
        stable = consumer.last_stable_offset(partition)
        ends[partition] = max(ends[partition], min(stable, consumer.highwater(partition)))
    consumer.pause(*partitions)
    return ends


async def _at(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], time_ms: int | None
) -> dict[TopicPartition, int | None]:
    """The offset of the first record of that time or later; None where there is none."""
    if time_ms is None:
        return dict.fromkeys(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, max(0, time_ms)))
    at = {partition: found.get(partition) for partition in partitions}
    return {partition: None if each is None else each.offset for partition, each in at.items()}
