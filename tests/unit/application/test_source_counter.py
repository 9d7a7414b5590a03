"""Counting a source from any point that a crash may leave gives what counting it once gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.claims import resume
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.packing import fits, pack
from servicelevel.application.ports import RawRecord
from servicelevel.application.repeats import Repeats
from servicelevel.application.source_counter import Decode, SourceCounter
from servicelevel.domain.counts import Claim, Range, Tally
from servicelevel.domain.ledger import Ledger, SourceState
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import DeadLetter
from servicelevel.schemas.events import Event

NOW_MS = 1_767_300_000_000
START_MS = 1_767_225_600_000
PARTITIONS = 3
SERVICES = ("a", "b", "c", "d")
SOURCE = "requests/0"


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


def plan() -> Plan:
    return Plan(
        Catalogue.of(
            Slo(
                name=f"slo-{s}",
                service=s,
                window_ms=3_600_000,
                objectives=(
                    Objective(
                        "all",
                        Indicator(f"i-{s}", "request", s, "", "status_code < 500"),
                        Fraction(9, 10),
                        (),
                    ),
                ),
                digest="d",
            )
            for s in SERVICES
        ),
        PARTITIONS,
    )


PLAN = plan()


def decode(records: Sequence[RawRecord], now_ms: int) -> tuple[Batch, list[DeadLetter]]:
    return decode_batch(
        records,
        topic="requests",
        partition=0,
        kind="request",
        now_ms=now_ms,
        limits=DecodeLimits(),
    )


def counter(
    states: dict[int, SourceState],
    epoch: int,
    *,
    now_ms: int = NOW_MS,
    max_records: int = 100,
    decode: Decode = decode,
    max_bytes: int = 1_000_000,
    dedup_records: int = 0,
) -> SourceCounter:
    found = resume(SOURCE, states, 0, dedup_records=dedup_records)
    accumulator = SourceAccumulator(
        SOURCE,
        "request",
        PLAN,
        allowed_lateness_ms=1_000,
        late_horizon_ms=5_000,
        max_time_ms=found.max_time_ms,
    )
    return SourceCounter(
        SOURCE,
        epoch,
        found,
        accumulator,
        decode,
        idle_timeout_ms=10_000,
        now_ms=now_ms,
        max_bytes=max_bytes,
        max_records=max_records,
        repeats=Repeats(dedup_records) if dedup_records else None,
    )


class Log:
    """Partitions of `counts`: ledgers, and the cells that were accepted."""

    def __init__(self) -> None:
        self.ledgers = [Ledger() for _ in range(PARTITIONS)]
        self.cells: dict[tuple[str, str, int], tuple[int, int]] = {}

    def states(self, epoch: int) -> dict[int, SourceState]:
        """The states after a claim."""
        for ledger in self.ledgers:
            ledger.claim(Claim(SOURCE, epoch, "me", 0, {"requests": 1}))
        return {n: ledger.sources[SOURCE] for n, ledger in enumerate(self.ledgers)}

    def write(self, partition: int, ranges: Sequence[Range]) -> None:
        for range_ in ranges:
            assert self.ledgers[partition].apply(range_)
            for cell in range_.cells:
                key = cell[:3]
                good, total = self.cells.get(key, (0, 0))
                self.cells[key] = (good + cell.good, total + cell.total)


def record(offset: int, kind: int, delay_ms: int) -> Record:
    service = SERVICES[kind % len(SERVICES)]
    status = 500 if kind % 3 == 0 else 200
    time_ms = START_MS + offset * 400 - delay_ms
    value = f'{{"service":"{service}","time":{time_ms},"status_code":{status}}}'.encode()
    return Record(offset, value if kind else b"broken")


records = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0, 0, 0, 500, 1_500, 7_000])),
    min_size=1,
    max_size=60,
).map(lambda kinds: [record(n, kind, delay) for n, (kind, delay) in enumerate(kinds)])
steps = st.lists(
    st.tuples(st.integers(1, 30), st.sets(st.integers(0, PARTITIONS - 1)), st.booleans()),
    max_size=8,
)


def count_once(log: Sequence[Record]) -> tuple[Log, list[DeadLetter]]:
    whole = Log()
    counting = counter(whole.states(1), 1)
    counting.add(log, NOW_MS)
    counting.take()
    for n in range(PARTITIONS):
        whole.write(n, counting.ranges(n))
    return whole, [a for a in counting.asides() if isinstance(a, DeadLetter)]


@given(records, steps, st.integers(1, 40))
def test_crashes_anywhere_change_nothing(
    log: list[Record], crashes: list[tuple[int, set[int], bool]], max_records: int
) -> None:
    """Each step counts some records, reaches some counts partitions, and may crash then."""
    found = Log()
    epoch = 1
    counting = counter(found.states(epoch), epoch, max_records=max_records)
    for size, reached, crash in [*crashes, (len(log), set(range(PARTITIONS)), False)]:
        counting.add(log[counting.position :][:size], NOW_MS)
        counting.take()
        for n in reached if crash else range(PARTITIONS):
            found.write(n, counting.ranges(n))
        if crash:
            epoch += 1
            counting = counter(found.states(epoch), epoch, max_records=max_records)
    counting.add(log[counting.position :], NOW_MS)
    counting.take()
    for n in range(PARTITIONS):
        found.write(n, counting.ranges(n))
    whole, _ = count_once(log)
    assert found.cells == whole.cells
    for mine, theirs in zip(found.ledgers, whole.ledgers, strict=True):
        got, expected = mine.sources[SOURCE], theirs.sources[SOURCE]
        assert (got.applied, got.tally, got.max_time_ms) == (
            expected.applied,
            expected.tally,
            expected.max_time_ms,
        )


@given(records)
def test_counted_late_and_dead_add_up_to_what_was_read(log: list[Record]) -> None:
    whole, dead = count_once(log)
    tally = whole.ledgers[0].sources[SOURCE].tally
    assert tally.read == len(log) == tally.counted + tally.late + tally.dead
    assert tally.dead == len(dead)


def test_what_was_told_before_a_crash_is_not_told_again() -> None:
    log = [Record(n, b"broken") for n in range(10)]
    states = {0: SourceState(1, "me", 6), 1: SourceState(1, "me", 0), 2: SourceState(1, "me", 0)}
    counting = counter(states, 1)
    counting.add(log, NOW_MS)
    assert [aside.offset for aside in counting.asides()] == [6, 7, 8, 9]
    assert counting.waiting == 0


def idle_states(max_time_ms: int | None) -> dict[int, SourceState]:
    return {n: SourceState(1, "me", 0, max_time_ms) for n in range(PARTITIONS)}


def test_records_that_a_mapping_passes_over_do_not_keep_a_source_from_being_idle() -> None:
    counting = counter(idle_states(None), 1, decode=lambda *_: (Batch([], [], []), []))
    counting.add([Record(0, b"{}"), Record(1, b"{}")], NOW_MS + 9_000)
    counting.look_at_clock(NOW_MS + 10_000, at_end=True)
    assert (counting.position, counting.idle) == (2, True)
    assert counting.take() == Tally()


def test_an_idle_source_goes_on_at_the_pace_of_the_wall_clock() -> None:
    counting = counter(idle_states(None), 1)
    counting.add([record(0, 1, 0)], NOW_MS)
    counting.take()
    counting.look_at_clock(NOW_MS + 9_999, at_end=True)
    assert not counting.idle
    counting.look_at_clock(NOW_MS + 10_000, at_end=True)
    assert counting.idle
    assert counting.has_news(0)
    assert counting.max_time_ms == START_MS + 10_000
    assert [(r.idle, r.max_time_ms) for r in counting.ranges(0)] == [(True, START_MS + 10_000)] or (
        counting.told_up_to(0) == 1
    )
    counting.told_idle()
    counting.look_at_clock(NOW_MS + 25_000, at_end=True)
    assert counting.max_time_ms == START_MS + 25_000
    counting.add([record(1, 1, 0)], NOW_MS + 26_000)  # behind the time reached: late
    assert not counting.idle
    assert len(counting.asides()) == 1
    assert counting.has_news(2)


def test_one_event_from_the_future_does_not_make_a_seldom_source_late_for_ever() -> None:
    counting = counter(idle_states(NOW_MS + 240_000), 1)
    for n in range(1, 30):
        now_ms = NOW_MS + n * 15_000  # idle in between
        counting.look_at_clock(now_ms, at_end=True)
        counting.add([record(n, 1, START_MS + n * 400 - now_ms)], now_ms)
        late = counting.asides()
        counting.take()
    assert counting.max_time_ms == now_ms
    assert late == []


def test_a_source_with_lag_is_never_idle() -> None:
    counting = counter(idle_states(START_MS), 1)
    counting.look_at_clock(NOW_MS + 60_000, at_end=False)
    assert not counting.idle
    assert counting.max_time_ms == START_MS


def test_a_source_that_never_had_an_event_is_idle_without_a_time() -> None:
    counting = counter(idle_states(None), 1)
    counting.look_at_clock(NOW_MS + 60_000, at_end=True)
    (range_,) = counting.ranges(1)
    assert (range_.idle, range_.max_time_ms, range_.start, range_.end) == (True, None, 0, 0)


def many_of_the_second(records: Sequence[RawRecord], _: int) -> tuple[Batch, list[DeadLetter]]:
    """The record at offset 1 holds 100 events, each in a pane of its own; one of them is late."""
    found = Batch([], [], [])
    for each in records:
        minutes = [*range(100), 0] if each.offset == 1 else [50 * each.offset]
        for minute in minutes:
            time_ms = START_MS + minute * 60_000
            found.events.append(Event(service="a", time=time_ms, status_code=200))
            found.offsets.append(each.offset)
            found.values.append(b"{}")
    return found, []


def test_a_record_whose_counts_fit_into_no_message_is_a_dead_letter() -> None:
    log = [Record(n, b"value of %d" % n) for n in range(4)]
    found = Log()
    states = found.states(1)
    counting = counter(states, 1, max_records=1, max_bytes=1_000, decode=many_of_the_second)
    counting.add(log, NOW_MS)
    counting.take()

    for n in range(PARTITIONS):
        ranges = counting.ranges(n)
        assert all(fits(each, 1_000) for each in ranges)
        found.write(n, ranges)
        assert reduce(Tally.plus, (each.tally for each in ranges)) == Tally(4, 3, 0, 1)
    assert list(found.cells.values()) == [(1, 1)] * 3
    (letter,) = counting.asides()
    assert isinstance(letter, DeadLetter)
    assert (letter.offset, letter.value) == (1, b"value of 1")
    assert letter.reason == "too_many_counts"


def test_together_with_others_it_is_counted_again_in_smaller_ranges() -> None:
    """Which the flusher asks for, as for any range that is too large."""
    log = [Record(n, b"{}") for n in range(4)]
    counting = counter(Log().states(1), 1, max_bytes=1_000, decode=many_of_the_second)
    counting.add(log, NOW_MS)
    counting.take()
    assert {len(pack(counting.ranges(n), 0, 1_000).too_large) for n in range(PARTITIONS)} == {0, 1}
    assert not [aside for aside in counting.asides() if isinstance(aside, DeadLetter)]


def lost(first: int, last: int) -> DeadLetter:
    return DeadLetter("requests", 0, first, "gap", "", None, None, 0, last)


@given(st.lists(st.integers(0, 30), min_size=PARTITIONS, max_size=PARTITIONS), st.integers(1, 30))
def test_what_is_lost_is_one_dead_letter_wherever_it_was_not_counted(
    applied: list[int], end: int
) -> None:
    """The counts partitions may have different offsets applied, within the gap and after it."""
    states = {n: SourceState(1, "me", at, START_MS + at) for n, at in enumerate(applied)}
    start, log = min(applied), [record(n, 1, 0) for n in range(end, 31)]
    if start >= end:
        return
    counting = counter(states, 1)

    counting.lose(lost(start, end - 1), end)
    counting.add(log, NOW_MS)
    counting.take()

    told = [aside for aside in counting.asides() if isinstance(aside, DeadLetter)]
    assert told == [lost(start, end - 1)]
    for n, at in enumerate(applied):
        ledger = Ledger({SOURCE: states[n]})
        assert all(ledger.apply(range_) for range_ in counting.ranges(n))
        state = ledger.sources[SOURCE]
        tally = state.tally
        assert state.applied == 31
        assert tally.dead == (at < end)
        assert tally.read == tally.counted + tally.late + tally.dead
        assert tally.read == (at < end) + 31 - max(at, end)


def test_where_all_is_lost_the_source_goes_on_at_the_end() -> None:
    counting = counter({n: SourceState(1, "me", 5, START_MS) for n in range(PARTITIONS)}, 1)
    counting.lose(lost(5, 8), 9)
    assert counting.take() == Tally(1, 0, 0, 1)
    (range_,) = counting.ranges(0)
    assert (range_.start, range_.end, range_.max_time_ms) == (5, 9, START_MS)
