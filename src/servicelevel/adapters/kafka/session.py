"""A combiner's membership in its group: takes sources, counts them, gives them back."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from servicelevel.adapters.kafka.claiming import Claimed, Claimer
from servicelevel.adapters.kafka.flushing import Flusher, Held
from servicelevel.adapters.kafka.group import SourceTopics, commit
from servicelevel.adapters.kafka.reading import SourceReader
from servicelevel.adapters.kafka.tail import CountsTail
from servicelevel.application.commits import Commit, encode_metadata
from servicelevel.application.pacing import held_for_s
from servicelevel.application.ports import WallClock
from servicelevel.application.source_counter import MAX_RECORDS, SourceCounter
from servicelevel.application.vitals import CombinerVitals
from servicelevel.errors import RestartRequiredError

log = logging.getLogger(__name__)

CLAIM_BACKOFF_S = 0.2
COMMIT_INTERVAL_S = 3.0
SETTLE_S = 5.0
SMALLER = 8  # times fewer records in a range, where a message became too large

MakeCounter = Callable[[TopicPartition, Claimed, int], SourceCounter]
"""A counter for a source partition claimed, with so many records at most in a range."""


class CombinerSession(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """`run` it once. Sources are given back whole at each rebalance, and claimed anew."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topics: SourceTopics,
        tail: CountsTail,
        claimer: Claimer,
        flusher: Flusher,
        reader: SourceReader,
        make_counter: MakeCounter,
        flush_interval_s: float,
        clock: WallClock,
        vitals: CombinerVitals,
    ) -> None:
        self._consumer = consumer
        self._topics = topics
        self._tail = tail
        self._claimer = claimer
        self._flusher = flusher
        self._reader = reader
        self._make_counter = make_counter
        self._flush_interval_s = flush_interval_s
        self._clock = clock
        self._vitals = vitals
        self._wanted: set[TopicPartition] = set()  # assigned and not held
        self._assignments = 0
        self._max_records: dict[TopicPartition, int] = {}
        self._told_of_metadata = False
        self._claims_due = asyncio.Event()
        self._commit_due = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set; then flush, wait for acceptance and commit.

        Raises whatever ended the counting; see `KafkaCombiner.run`.
        """
        self._consumer.subscribe(self._topics.full_names(), listener=self)
        tail = asyncio.create_task(self._tail.run())
        counting = [
            asyncio.create_task(task)
            for task in (
                self._reader.run(),
                self._claim_when_due(),
                self._flush_now_and_then(),
                self._commit_now_and_then(),
                self._claim_lost(),
            )
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            ends: list[asyncio.Future[Any]] = [tail, *counting, stopping, self._failure]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            await _end(counting)
            if self._failure.done():
                self._failure.result()
            if not tail.done():
                await self._give_back()
        finally:
            await _end([*counting, tail, stopping])
            self._failure.cancel()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Give back all, before the group goes on."""
        self._wanted.clear()
        self._note_claims()
        if revoked:
            await self._give_back()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Have the partitions claimed; nothing is read of them before."""
        if new := [p for p in assigned if not self._topics.has(p)]:
            self._fail(RestartRequiredError(f"topics got more partitions: {sorted(new)}"))
            return
        for partition in assigned:
            self._consumer.pause(partition)
            self._consumer.seek(partition, 0)  # some position, so that none is looked for
        self._assignments += 1
        self._max_records.clear()  # one record too large is not to make all that follow slow
        self._wanted = set(assigned)
        self._vitals.assigned = True
        self._note_claims()
        self._claims_due.set()

    async def _give_back(self) -> None:
        """Flush, wait until the log has decided, commit: as far as time allows."""
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._flusher.flush(heartbeat=True)
                await self._flusher.settled()
                await self._commit()
        except TimeoutError:
            log.warning("sources are given back in haste: the brokers did not answer in time")
        except KafkaError as error:
            log.warning("sources are given back without a commit: %r", error)
        except Exception as error:  # aiokafka would log and forget it
            self._fail(error)
        finally:
            self._flusher.held.clear()

    def _fail(self, error: Exception) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    async def _claim_when_due(self) -> None:
        while True:
            await self._claims_due.wait()
            self._claims_due.clear()
            while self._wanted:
                await self._claim()
                if self._wanted:
                    await asyncio.sleep(CLAIM_BACKOFF_S)

    async def _claim(self) -> None:
        assignment = self._assignments
        outcome = await self._claimer.claim(
            frozenset(self._wanted), lambda partition: partition in self._wanted
        )
        if assignment == self._assignments:
            self._wanted -= outcome.given_up
        for partition, claimed in outcome.claimed.items():
            if partition in self._wanted:
                self._start(partition, claimed)
        self._vitals.claims += len(outcome.claimed)
        self._note_claims()
        self._commit_due.set()

    def _note_claims(self) -> None:
        self._vitals.unclaimed = len(self._wanted)

    def _start(self, partition: TopicPartition, claimed: Claimed) -> None:
        self._wanted.discard(partition)
        counter = self._make_counter(
            partition, claimed, self._max_records.get(partition, MAX_RECORDS)
        )
        with suppress(IllegalStateError):  # assigned to another in this moment
            self._consumer.seek(partition, claimed.resume.read_from)
            self._consumer.resume(partition)
            self._flusher.held[partition] = Held(partition, counter)
            log.info(
                "counting %s from offset %d in epoch %d",
                counter.source,
                claimed.resume.first,
                claimed.epoch,
            )

    async def _claim_lost(self) -> None:
        while True:
            partition, smaller = await self._flusher.lost.get()
            if smaller:
                self._make_smaller(partition)
            if partition in self._consumer.assignment():
                self._consumer.pause(partition)
                self._wanted.add(partition)
                self._note_claims()
                self._claims_due.set()

    def _make_smaller(self, partition: TopicPartition) -> None:
        # A record whose counts do not fit in a range of its own is refused by the counter.
        records = self._max_records.get(partition, MAX_RECORDS)
        self._max_records[partition] = max(1, records // SMALLER)

    async def _flush_now_and_then(self) -> None:
        while True:
            waited_s = 0.0
            while not waited_s or waited_s < self._held_for_s():
                await asyncio.sleep(self._flush_interval_s)
                waited_s += self._flush_interval_s
            await self._flusher.flush()

    def _held_for_s(self) -> float:
        """As it is now: a backlog may be read to its end meanwhile."""
        held = self._flusher.held.values()
        most = max(held, key=lambda each: each.lag, default=None)
        time_ms = most.counter.max_time_ms if most else None
        behind_ms = None if time_ms is None else self._clock() - time_ms
        lag = sum(each.lag for each in held)
        return held_for_s(self._flush_interval_s, lag, behind_ms)

    async def _commit_now_and_then(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(COMMIT_INTERVAL_S):
                    await self._commit_due.wait()
            self._commit_due.clear()
            try:
                await self._commit()
            except KafkaError as error:
                log.warning("offsets not committed, trying again later: %r", error)

    async def _commit(self) -> None:
        """Commit what the log has accepted of the sources held, with its state as metadata."""
        commits: dict[TopicPartition, Commit] = {}
        for partition, held in self._flusher.held.items():
            marks = self._tail.marks(held.counter.source)
            applied = min(mark.state.applied for mark in marks.values())
            metadata = encode_metadata(marks)
            if not metadata and not self._told_of_metadata:
                self._told_of_metadata = True
                log.warning(
                    "too many counts partitions for the metadata of a commit: every start reads "
                    "counts from its beginning, so keep it whole (retention.ms=-1)"
                )
            commits[partition] = Commit(applied, metadata)
        await commit(self._consumer, commits)


async def _end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel what still runs; raises the first error of what does not."""
    failures = [t.exception() for t in tasks if t.done() and not t.cancelled()]
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for failure in failures:
        if failure is not None:
            raise failure
