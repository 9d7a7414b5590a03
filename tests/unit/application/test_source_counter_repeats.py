"""Which events are left out as repeats does not depend on batches, crashes or who counts."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.source_counter import SourceCounter
from servicelevel.domain.counts import Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.domain.outputs import DeadLetter, LateEvent
from tests.unit.application.test_source_counter import (
    NOW_MS,
    PARTITIONS,
    SOURCE,
    START_MS,
    Log,
    Record,
    count_once,
    counter,
    steps,
)

Aside = tuple[type, int]


def record(offset: int, name: str | None, delay_ms: int) -> Record:
    """An event; delays make some late. Without a service it is none."""
    event = {
        "id": name,
        "service": "abcd"[offset % 4],
        "time": START_MS + offset * 400 - delay_ms,
        "status_code": 500 if offset % 3 == 0 else 200,
    }
    if name == "broken":
        del event["service"]
    return Record(offset, msgspec.json.encode(event))


names = st.sampled_from([None, "", "broken", *"abcde", "f" * 200, "f" * 201])
logs = st.lists(
    st.tuples(names, st.sampled_from([0, 0, 0, 500, 1_500, 7_000]), st.integers(1, 3)),
    min_size=1,
    max_size=60,
)


def log_of(items: Sequence[tuple[str | None, int, int]]) -> list[Record]:
    """Records at offsets that may leave out some, as control records do."""
    made, offset = list[Record](), 0
    for name, delay_ms, step in items:
        made.append(record(offset, name, delay_ms))
        offset += step
    return made


def without_repeats(log: Sequence[Record], window: int) -> list[Record]:
    """By looking back from each event at all that came before."""
    ids = [(r.offset, msgspec.json.decode(r.value or b"")) for r in log]
    seen = [(offset, event["id"]) for offset, event in ids if "service" in event]
    kept = []
    for each, (offset, event) in zip(log, ids, strict=True):
        name = event["id"] if "service" in event else None
        near = {other for at, other in seen if offset - window <= at < offset}
        if not name or name not in near:
            kept.append(each)
    return kept


def told(counting: SourceCounter) -> list[Aside]:
    return [(type(aside), aside.offset) for aside in counting.asides()]


@given(logs, st.integers(1, 30), steps, st.integers(1, 40))
def test_crashes_anywhere_leave_out_what_looking_back_finds(
    items: list[tuple[str | None, int, int]],
    window: int,
    crashes: list[tuple[int, set[int], bool]],
    max_records: int,
) -> None:
    log = log_of(items)
    found, epoch, asides = Log(), 1, set[Aside]()

    def start() -> SourceCounter:
        return counter(found.states(epoch), epoch, max_records=max_records, dedup_records=window)

    counting = start()
    for size, reached, crash in [*crashes, (len(log), set(range(PARTITIONS)), False)]:
        left = [each for each in log if each.offset >= counting.read_to]
        counting.add(left[:size], NOW_MS)
        counting.take()
        asides.update(told(counting))
        for n in reached if crash else range(PARTITIONS):
            found.write(n, counting.ranges(n))
        if crash:
            epoch += 1
            counting = start()
    counting.add([each for each in log if each.offset >= counting.read_to], NOW_MS)
    counting.take()
    asides.update(told(counting))
    for n in range(PARTITIONS):
        found.write(n, counting.ranges(n))

    kept = without_repeats(log, window)
    whole, dead = count_once(kept)
    assert found.cells == whole.cells
    assert {aside for aside in asides if aside[0] is DeadLetter} == {
        (DeadLetter, letter.offset) for letter in dead
    }
    for mine, theirs in zip(found.ledgers, whole.ledgers, strict=True):
        got, expected = mine.sources[SOURCE], theirs.sources[SOURCE]
        repeated = len(log) - len(kept)
        assert got.tally == expected.tally.plus(Tally(repeated, repeated=repeated))
        assert got.tally.read == sum(got.tally[1:]) == len(log)
        assert (got.applied, got.max_time_ms) == (log[-1].offset + 1, expected.max_time_ms)


def test_records_that_are_read_for_their_ids_are_counted_and_told_by_nobody() -> None:
    log = [record(0, "a", 0), record(1, "broken", 0), record(2, "b", 7_000), record(3, "b", 0)]
    states = {n: SourceState(1, "me", 3, START_MS + 800) for n in range(PARTITIONS)}
    counting = counter(states, 1, dedup_records=3)
    assert (counting.read_to, counting.first) == (0, 3)
    counting.add(log[:3], NOW_MS)
    assert (counting.read_to, counting.position, counting.untold) == (3, 3, 0)
    assert (counting.take(), told(counting)) == (Tally(), [])
    assert not any(counting.has_news(n) for n in range(PARTITIONS))
    counting.add(log[3:], NOW_MS)
    assert (counting.take(), counting.read_to) == (Tally(1, repeated=1), 4)


def test_a_record_that_comes_twice_is_no_repeat_of_what_came_after_it() -> None:
    """As where the client reads anew what retention cut short."""
    log = [record(n, name, 0) for n, name in enumerate("abcab")]
    states = {n: SourceState(1, "me", 3) for n in range(PARTITIONS)}
    counting = counter(states, 1, dedup_records=3)
    for part in (log[:2], log[:4], log[1:3], log[4:]):
        counting.add(part, NOW_MS)
    assert counting.take() == Tally(2, repeated=2)


@pytest.mark.parametrize("window", [0, 3])
def test_ids_that_retention_has_deleted_are_not_known(window: int) -> None:
    states = {n: SourceState(1, "me", 3) for n in range(PARTITIONS)}
    counting = counter(states, 1, dedup_records=window)
    counting.add([record(2, "b", 0), record(3, "a", 0), record(4, "b", 0)], NOW_MS)
    assert counting.take() == Tally(2, 2 - bool(window), 0, 0, int(bool(window)))


def test_repeats_move_no_time_on() -> None:
    counting = counter(Log().states(1), 1, dedup_records=9)
    counting.add([record(0, "a", 0)], NOW_MS)
    counting.take()
    counting.add([record(1, "a", 0)], NOW_MS + 9_000)
    counting.take()
    counting.look_at_clock(NOW_MS + 10_000, at_end=True)
    assert counting.idle
    assert counting.max_time_ms == START_MS + 10_000


def test_a_late_event_that_comes_again_is_told_once() -> None:
    counting = counter(Log().states(1), 1, dedup_records=9)
    counting.add([record(0, "a", 0), record(1, "b", 7_000), record(2, "b", 7_000)], NOW_MS)
    assert told(counting) == [(LateEvent, 1)]
    assert counting.take() == Tally(3, 1, 1, 0, 1)
