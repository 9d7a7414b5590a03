"""The combiners' consumer group: its sources, its generation, its commits and their metadata."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    InvalidCommitOffsetSizeError,
    KafkaError,
    OffsetMetadataTooLargeError,
)

from servicelevel.adapters.kafka.connection import client_options
from servicelevel.application.claims import NO_EPOCH
from servicelevel.application.commits import Commit
from servicelevel.domain.model import EventKind
from servicelevel.errors import DependencyError, TopicsError
from servicelevel.settings import Settings

log = logging.getLogger(__name__)

FACT_TOPICS: Mapping[str, EventKind] = {"incidents": "incident", "changes": "change"}
_ATTEMPTS = 20
_BACKOFF_S = 0.25


@dataclass(frozen=True, slots=True)
class SourceTopics:
    """The topics read, by name without prefix: what is in them, and how many partitions."""

    prefix: str
    kinds: Mapping[str, EventKind]
    partitions: Mapping[str, int]

    def name(self, partition: TopicPartition) -> str:
        """The source's name, `topic/partition`."""
        return f"{self.topic(partition)}/{partition.partition}"

    def topic(self, partition: TopicPartition) -> str:
        """The topic's name without prefix."""
        return str(partition.topic).removeprefix(self.prefix)

    def full_names(self) -> list[str]:
        """The topics' names as the brokers know them."""
        return [f"{self.prefix}{topic}" for topic in self.kinds]

    def has(self, partition: TopicPartition) -> bool:
        """Whether the partition was there when the topics were looked up."""
        return int(partition.partition) < self.partitions[self.topic(partition)]

    def all(self) -> list[TopicPartition]:
        """Every source partition there is."""
        return [
            TopicPartition(f"{self.prefix}{topic}", n)
            for topic, count in self.partitions.items()
            for n in range(count)
        ]


def group_name(settings: Settings) -> str:
    """The combiners' consumer group."""
    return f"{settings.group}-combiner"


async def read_topics(settings: Settings) -> dict[str, int]:
    """Partitions of every topic there is, by full name.

    Raises:
        DependencyError: the brokers cannot be reached.
    """
    admin = AIOKafkaAdminClient(**client_options(settings, "combiner-admin"))
    try:
        await admin.start()
        # All of them: to ask for one by name makes some brokers create it.
        return {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics()}
    except KafkaError as error:
        raise unreachable(settings, error) from error
    finally:
        await admin.close()


def source_topics(settings: Settings, found: Mapping[str, int]) -> SourceTopics:
    """Which topics to read; `found` are those of the brokers.

    Raises:
        TopicsError: a topic of request events or `counts` is missing, or `counts` has another
            number of partitions than the settings say.
    """
    kinds: dict[str, EventKind] = dict.fromkeys(settings.request_topics, "request")
    kinds |= {t: kind for t, kind in FACT_TOPICS.items() if settings.topic(t) in found}
    needed = [settings.topic(topic) for topic in (*kinds, "counts")]
    if missing := [topic for topic in needed if topic not in found]:
        raise TopicsError(
            f"no topic {', '.join(missing)} at {settings.brokers}: make it with "
            "`servicelevel topics create`"
        )
    counts = found[settings.topic("counts")]
    if counts != settings.counts_partitions:
        raise TopicsError(
            f"topic {settings.topic('counts')} has {counts} partitions, the settings say "
            f"{settings.counts_partitions}: set SERVICELEVEL_COUNTS_PARTITIONS={counts}"
        )
    partitions = {topic: found[settings.topic(topic)] for topic in kinds}
    return SourceTopics(settings.topic_prefix, kinds, partitions)


async def read_commits(
    settings: Settings, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Commit]:
    """What the group has committed; partitions without a commit are left out.

    Raises:
        DependencyError: the brokers cannot be reached.
    """
    wanted = list(partitions)
    admin = AIOKafkaAdminClient(**client_options(settings, "combiner-admin"))
    try:
        await admin.start()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                found = await admin.list_consumer_group_offsets(
                    group_name(settings), partitions=wanted
                )
            except KafkaError as error:
                # A new cluster has no coordinator yet.
                if not error.retriable or attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(_BACKOFF_S)
            else:
                break
    except KafkaError as error:
        raise unreachable(settings, error) from error
    finally:
        await admin.close()
    return {
        partition: Commit(commit.offset, commit.metadata or "")
        for partition, commit in found.items()
        if commit.offset >= 0
    }


async def commit(consumer: AIOKafkaConsumer, commits: Mapping[TopicPartition, Commit]) -> bool:
    """Commit, without metadata if the broker finds it too large; False for who is not the owner."""
    if not commits:
        return True
    try:
        try:
            await consumer.commit({p: (c.offset, c.metadata) for p, c in commits.items()})
        except (OffsetMetadataTooLargeError, InvalidCommitOffsetSizeError):
            log.warning(
                "the broker takes no metadata of this size: raise offset.metadata.max.bytes"
            )
            await consumer.commit({p: (c.offset, "") for p, c in commits.items()})
    except (CommitFailedError, IllegalStateError) as error:
        log.info("not committed, as the group has moved on: %s", error)
        return False
    return True


def generation(consumer: AIOKafkaConsumer) -> int:
    """The consumer's generation in its group; NO_EPOCH if this aiokafka does not say."""
    found = getattr(getattr(consumer, "_coordinator", None), "generation", None)
    return found if isinstance(found, int) else NO_EPOCH


def unreachable(settings: Settings, error: BaseException) -> DependencyError:
    """What to say when the brokers do not answer."""
    return DependencyError(
        f"the Kafka brokers at {settings.brokers} do not answer as needed: {error!r}; are they "
        "up, and is SERVICELEVEL_BROKERS right?"
    )
