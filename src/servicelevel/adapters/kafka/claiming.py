"""Claims source partitions on every partition of `counts`, and says where to read on."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.kafka.counts_writer import CountsWriter
from servicelevel.adapters.kafka.group import SourceTopics, commit, generation
from servicelevel.adapters.kafka.tail import CountsTail
from servicelevel.application.claims import (
    Resume,
    choose_epoch,
    claim_start,
    fewer_error,
    is_held,
    is_torn,
    resume,
    torn_error,
)
from servicelevel.application.commits import Commit, encode_metadata
from servicelevel.application.ports import WallClock
from servicelevel.domain.counts import Claim, CountsMessage
from servicelevel.errors import RestartRequiredError
from servicelevel.schemas.counts import encode_counts

CountPartitions = Callable[[], Awaitable[Mapping[str, int]]]
"""Partitions of every topic there is now, by full name."""

log = logging.getLogger(__name__)


class Claimed(NamedTuple):
    """A source of ours, with the epoch in force and where to go on."""

    epoch: int
    resume: Resume


class Outcome(NamedTuple):
    """What a round of claims came to: the rest may be claimed again.

    Whoever cannot prove to own a source waits for the next assignment.
    """

    claimed: dict[TopicPartition, Claimed]
    given_up: set[TopicPartition]


class Claimer:
    """One round at a time; `owner` is a name that no other process has or had."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        lookup: AIOKafkaConsumer,
        tail: CountsTail,
        writer: CountsWriter,
        topics: SourceTopics,
        clock: WallClock,
        owner: str,
        count_partitions: CountPartitions,
        *,
        skip_gaps: bool,
        dedup_records: int = 0,
    ) -> None:
        self._consumer = consumer
        self._lookup = lookup
        self._tail = tail
        self._writer = writer
        self._topics = topics
        self._clock = clock
        self._owner = owner
        self._count_partitions = count_partitions
        self._skip_gaps = skip_gaps
        self._dedup_records = dedup_records

    async def claim(
        self, partitions: Collection[TopicPartition], is_wanted: Callable[[TopicPartition], bool]
    ) -> Outcome:
        """Claim source partitions once, unless they are no longer wanted when it is time to.

        Raises:
            GapError: records or claims that are needed were deleted by the broker; not for records
                with `skip_gaps`.
            StateError: counts or a source topic is not that which was counted before.
            RestartRequiredError: a source topic has got more partitions.
            KafkaError: the brokers did not do what was asked.
        """
        await self._tail.caught_up()
        for partition in partitions:
            await self._check_counts(self._topics.name(partition))
        for topic in {self._topics.topic(partition) for partition in partitions}:
            await self._check_topic(topic)
        beginnings = await self._lookup.beginning_offsets(list(partitions))
        claims: dict[TopicPartition, Claim] = {}
        given_up: set[TopicPartition] = set()
        for partition in partitions:
            claim = await self._prove(partition, beginnings[partition])
            if claim is None:
                given_up.add(partition)
            elif is_wanted(partition):
                claims[partition] = claim
        if claims:
            value = encode_counts(CountsMessage(self._clock(), claims=tuple(claims.values())))
            written = await self._writer.write((n, value) for n in self._tail.counts_partitions)
            await self._tail.passed(written)
        return Outcome(self._in_force(claims, beginnings), given_up)

    async def _check_counts(self, source: str) -> None:
        if is_torn(self._tail.states(source)):
            await self._tail.caught_up()  # one partition may have been read further than another
            if is_torn(states := self._tail.states(source)):
                raise torn_error(source, states)

    async def _check_topic(self, topic: str) -> None:
        known = self._tail.partitions_of(topic)
        if known > self._topics.partitions[topic]:
            found = (await self._count_partitions()).get(f"{self._topics.prefix}{topic}", 0)
            if found < known:
                raise fewer_error(topic, found, known)
            raise RestartRequiredError(f"topic {topic} got more partitions: {found}")

    async def _prove(self, partition: TopicPartition, beginning: int) -> Claim | None:
        """The claim to write; None if it needs a proof that the broker refuses."""
        source = self._topics.name(partition)
        states = self._tail.states(source)
        epoch = choose_epoch(generation(self._consumer), states)
        start = claim_start(states, beginning)
        if epoch.needs_proof:
            metadata = encode_metadata(self._tail.marks(source))
            if not await commit(self._consumer, {partition: Commit(start, metadata)}):
                return None
        return Claim(source, epoch.number, self._owner, start, self._topics.partitions)

    def _in_force(
        self, claims: Mapping[TopicPartition, Claim], beginnings: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, Claimed]:
        claimed: dict[TopicPartition, Claimed] = {}
        for partition, claim in claims.items():
            states = self._tail.states(claim.source)
            if is_held(states, claim.epoch, self._owner):
                known = {n: state for n, state in states.items() if state is not None}
                found = resume(
                    claim.source,
                    known,
                    beginnings[partition],
                    skip_gap=self._skip_gaps,
                    dedup_records=self._dedup_records,
                )
                claimed[partition] = Claimed(claim.epoch, found)
            else:
                log.info("the claim on %s was overtaken by another", claim.source)
        return claimed
