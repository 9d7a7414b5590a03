"""What is written when, and what is done about what the log does not accept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from servicelevel.adapters.kafka.flushing import Asides, Flusher, Held
from servicelevel.application.claims import Resume, States
from servicelevel.application.combine import Folded
from servicelevel.application.decode import Batch
from servicelevel.application.source_counter import SourceCounter
from servicelevel.application.vitals import CombinerVitals
from servicelevel.domain.counts import Cell, CountsMessage, Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.domain.outputs import DeadLetter, LateEvent
from servicelevel.errors import DependencyError
from servicelevel.schemas.counts import decode_counts

TP = TopicPartition("requests", 0)
SOURCE = "requests/0"


class Tail:
    """Accepts everything, unless told otherwise."""

    counts_partitions = range(2)

    def __init__(self) -> None:
        self.read_to = 0
        self.applied = 0
        self.epoch = 1

    def position(self, _partition: int) -> int:
        return self.read_to

    def states(self, _source: str) -> States:
        return {n: SourceState(self.epoch, "me", self.applied) for n in range(2)}


@dataclass
class Journal:
    """Counts and asides in the order they were written."""

    entries: list[object] = field(default_factory=list)
    max_bytes: int = 10_000
    error: Exception | None = None
    while_writing: Callable[[], None] = lambda: None
    aside_error: Exception | None = None

    async def write(self, messages: Iterable[tuple[int, bytes]]) -> dict[int, int]:
        if self.error:
            raise self.error
        offsets = {}
        for partition, value in messages:
            self.entries.append((partition, decode_counts(value)))
            offsets[partition] = len(self.entries) - 1
        self.while_writing()
        return offsets

    async def send_messages(self, messages: Iterable[tuple[str, bytes | None, bytes]]) -> None:
        if self.aside_error:
            raise self.aside_error
        self.entries.extend(messages)

    def counts(self) -> list[tuple[int, CountsMessage]]:
        return [e for e in self.entries if isinstance(e, tuple) and len(e) == 2]


class Accumulator:
    """One cell in partition 0 for whatever was added."""

    size = 0

    def __init__(self, time_ms: int | None = 5) -> None:
        self.tally = Tally()
        self.time_ms = time_ms

    def add(self, batch: Batch, dead: int, repeated: int) -> list[LateEvent]:
        read = len(batch.events) + dead + repeated
        self.tally = self.tally.plus(Tally(read, len(batch.events), 0, dead, repeated))
        return []

    def take(self) -> Folded:
        tally, self.tally = self.tally, Tally()
        cells = {0: [Cell("i", "", 10, tally.counted, tally.counted)]} if tally.counted else {}
        return Folded(cells, tally, self.time_ms)

    def advance(self, _time: int) -> None: ...

    def fills(self, _max_bytes: int) -> bool:
        return False


@dataclass(frozen=True)
class Record:
    offset: int


def decode(records: object, _now_ms: int) -> tuple[Batch, list[DeadLetter]]:
    """Odd offsets are dead."""
    offsets = [r.offset for r in records]  # type: ignore[attr-defined]  # the Record above
    good = [o for o in offsets if o % 2 == 0]
    dead = [DeadLetter("requests", 0, o, "r", "d", None, None, 0) for o in offsets if o % 2]
    return Batch([object()] * len(good), good, [b""] * len(good)), dead  # type: ignore[list-item]


@dataclass
class Bench:
    flusher: Flusher
    tail: Tail
    journal: Journal
    vitals: CombinerVitals
    held: Held
    now_ms: int = 1_000

    def read(self, *offsets: int) -> None:
        self.held.counter.add([Record(o) for o in offsets], self.now_ms)  # type: ignore[misc]


def counter(source: str, accumulator: Accumulator, **options: int) -> SourceCounter:
    return SourceCounter(
        source,
        1,
        Resume(0, {0: 0, 1: 0}, None),
        accumulator,  # type: ignore[arg-type]  # the fake above
        decode,
        idle_timeout_ms=60_000,
        now_ms=0,
        max_bytes=1_000_000,
        **options,
    )


@pytest.fixture
def bench() -> Bench:
    tail, journal, vitals = Tail(), Journal(), CombinerVitals()
    asides = Asides(journal, lambda letter: b"dead %d" % letter.offset, lambda _: b"late")
    flusher = Flusher(tail, journal, asides, lambda: made.now_ms, "me", vitals)  # type: ignore[arg-type]
    held = flusher.held[TP] = Held(TP, counter(SOURCE, Accumulator()))
    made = Bench(flusher, tail, journal, vitals, held)
    return made


async def test_dead_letters_come_before_the_range_that_covers_them(bench: Bench) -> None:
    bench.read(0, 1, 2)
    await bench.flusher.flush()
    assert bench.journal.entries[0] == ("dead-letter", b"requests/0", b"dead 1")
    assert [(n, m.ranges[0].start, m.ranges[0].end) for n, m in bench.journal.counts()] == [
        (0, 0, 3),
        (1, 0, 3),
    ]
    assert (bench.vitals.read, bench.vitals.counted, bench.vitals.dead) == (3, 2, 1)


async def test_without_the_acknowledgement_no_range_is_written(bench: Bench) -> None:
    bench.journal.aside_error = DependencyError("no")
    bench.read(1)
    with pytest.raises(DependencyError):
        await bench.flusher.flush()
    assert bench.journal.counts() == []


async def test_empty_ranges_wait_for_the_heartbeat(bench: Bench) -> None:
    await bench.flusher.flush()
    bench.read(0)
    await bench.flusher.flush()
    assert [n for n, _ in bench.journal.counts()] == [0, 1, 0]
    await bench.flusher.flush()
    assert len(bench.journal.counts()) == 3
    bench.now_ms += 1_000
    await bench.flusher.flush()
    last = bench.journal.counts()[-2:]
    assert [(n, m.ranges[0].start, m.ranges[0].end) for n, m in last] == [(0, 1, 1), (1, 0, 1)]


async def test_ranges_that_the_log_ignored_lose_the_source(bench: Bench) -> None:
    bench.read(0)
    await bench.flusher.flush()
    await bench.flusher.flush()
    assert TP in bench.flusher.held  # nothing decided yet
    bench.tail.read_to = 10
    await bench.flusher.flush()
    assert bench.flusher.held == {}
    assert bench.flusher.lost.get_nowait() == (TP, False)
    assert bench.vitals.rejected == 1


async def test_a_claim_of_another_loses_the_source(bench: Bench) -> None:
    bench.tail.epoch = 2
    await bench.flusher.flush()
    assert bench.flusher.lost.get_nowait() == (TP, False)
    assert bench.journal.entries == []


async def test_accepted_ranges_are_no_longer_watched(bench: Bench) -> None:
    bench.read(0)
    await bench.flusher.flush()
    bench.tail.read_to, bench.tail.applied = 10, 1
    await bench.flusher.flush()
    assert bench.held.probes == {}
    assert TP in bench.flusher.held


async def test_a_range_too_large_for_a_message_asks_for_smaller_ones(bench: Bench) -> None:
    bench.journal.max_bytes = 50
    bench.read(0)
    await bench.flusher.flush()
    assert bench.flusher.lost.get_nowait() == (TP, True)


@pytest.mark.parametrize(
    ("error", "max_bytes"), [(KafkaTimeoutError(), 10_000), (MessageSizeTooLargeError(), 5_000)]
)
async def test_what_could_not_be_written_is_counted_again(
    bench: Bench, error: Exception, max_bytes: int
) -> None:
    bench.journal.error = error
    bench.read(0)
    await bench.flusher.flush()
    assert bench.flusher.lost.get_nowait() == (TP, False)
    assert bench.journal.max_bytes == max_bytes


async def test_what_is_counted_while_a_flush_is_acknowledged_waits_for_the_next(
    bench: Bench,
) -> None:
    """Ranges closed meanwhile are not part of what the log must show of this flush."""
    bench.held.counter.max_records = 1  # each record closes a range
    bench.read(0)
    bench.journal.while_writing = lambda: bench.read(2, 4)
    await bench.flusher.flush()
    bench.journal.while_writing = lambda: None
    bench.tail.read_to, bench.tail.applied = 10, 1  # the log has all that was written

    await bench.flusher.flush()

    assert bench.vitals.rejected == 0
    assert TP in bench.flusher.held


def idle_marks(bench: Bench) -> list[bool]:
    return [r.idle for _, message in bench.journal.counts() for r in message.ranges]


async def test_a_source_is_idle_where_the_broker_says_that_nothing_is_left(bench: Bench) -> None:
    bench.now_ms = 61_000
    bench.held.saw_end(58_000)
    bench.held.saw_end(60_900)
    await bench.flusher.flush(heartbeat=True)
    assert all(idle_marks(bench))


async def test_a_source_is_not_idle_by_what_was_so_before_the_process_stood_still(
    bench: Bench,
) -> None:
    bench.held.saw_end(900)
    bench.held.saw_end(1_000)
    bench.now_ms = 61_000  # stopped for a minute, then the first answer is of before it, too
    await bench.flusher.flush(heartbeat=True)
    bench.held.saw_end(61_000)
    await bench.flusher.flush(heartbeat=True)
    assert idle_marks(bench)
    assert not any(idle_marks(bench))
    bench.held.saw_end(61_500)
    await bench.flusher.flush(heartbeat=True)
    assert idle_marks(bench)[-1]


async def test_ranges_are_written_in_order_of_event_time(bench: Bench) -> None:
    earlier = counter("requests/7", Accumulator(time_ms=3))
    bench.flusher.held[TopicPartition("requests", 7)] = Held(TP, earlier)
    bench.read(0, 2)
    earlier.add([Record(0)], bench.now_ms)  # type: ignore[list-item]  # the Record above
    await bench.flusher.flush()
    (_, message), *_ = bench.journal.counts()
    assert [(r.source, r.max_time_ms) for r in message.ranges] == [("requests/7", 3), (SOURCE, 5)]


async def test_those_of_one_source_stay_in_the_order_of_their_offsets(bench: Bench) -> None:
    """Whatever is known of its time: nothing at first, then a time before 1970."""
    accumulator = Accumulator(time_ms=None)
    bench.held.counter = counter(SOURCE, accumulator, max_records=1)
    bench.read(0)
    accumulator.time_ms = -5
    bench.read(2)
    await bench.flusher.flush()
    (_, message), *_ = bench.journal.counts()
    assert [(r.start, r.max_time_ms) for r in message.ranges] == [(0, None), (1, -5)]
