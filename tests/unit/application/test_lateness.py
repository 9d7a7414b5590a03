"""Late events: which, and what becomes of them, whatever the batches are."""

from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.decode import Batch
from servicelevel.application.lateness import Lateness
from servicelevel.domain.outputs import LateEvent
from servicelevel.schemas.events import Event


def batch(times: list[int], start: int = 0) -> Batch:
    events = [Event(service="s", time=time) for time in times]
    offsets = list(range(start, start + len(times)))
    return Batch(events, offsets, [b"raw %d" % offset for offset in offsets])


def lateness(max_time_ms: int | None = None) -> Lateness:
    return Lateness("some/requests/3", 10, 100, max_time_ms)


def test_on_time_to_the_millisecond() -> None:
    rule = lateness()
    split = rule.split(batch([1_000, 990, 1_001, 991]))
    assert (len(split.events), split.offsets, list(split.revisions)) == (4, [0, 1, 2, 3], [])
    assert split.late == []
    assert rule.max_time_ms == 1_001


def test_late_is_counted_and_told() -> None:
    rule = lateness()
    split = rule.split(batch([1_000, 989, 1_000]))
    assert ([e.time for e in split.events], split.offsets) == ([1_000, 1_000], [0, 2])
    assert [(r.event.time, r.offset, r.watermark_ms) for r in split.revisions] == [(989, 1, 989)]
    assert split.late == [
        LateEvent("some/requests", 3, 1, "s", 989, 989, 11, "revision", b"raw 1"),
    ]


def test_beyond_the_horizon_it_is_dropped() -> None:
    split = lateness().split(batch([1_000, 890, 889]))
    assert (split.offsets, [r.offset for r in split.revisions]) == ([0], [1])
    assert [(late.offset, late.disposition) for late in split.late] == [
        (1, "revision"),
        (2, "dropped"),
    ]


def test_only_earlier_events_make_one_late() -> None:
    assert lateness().split(batch([0, 1_000])).late == []


def test_the_past_of_the_source_counts() -> None:
    assert len(lateness(1_000).split(batch([989])).late) == 1
    rule = lateness()
    rule.advance(1_000)
    rule.advance(500)
    assert len(rule.split(batch([989])).late) == 1
    assert rule.max_time_ms == 1_000


def test_nothing_in_a_batch() -> None:
    rule = lateness()
    assert rule.split(batch([])) == ((), (), (), (), [])
    assert rule.max_time_ms is None


@given(st.lists(st.lists(st.integers(0, 300), max_size=8), max_size=8))
def test_batches_do_not_matter(parts: list[list[int]]) -> None:
    times = [time for part in parts for time in part]
    rule, start = lateness(), 0
    late: list[LateEvent] = []
    offsets: list[int] = []
    watermarks: dict[int, int] = {}
    for part in parts:
        split = rule.split(batch(part, start))
        offsets += split.offsets
        watermarks |= {r.offset: r.watermark_ms for r in split.revisions}
        late += split.late
        start += len(part)
    expected = {
        offset: "dropped" if max(times[: offset + 1]) - time > 110 else "revision"
        for offset, time in enumerate(times)
        if max(times[: offset + 1]) - time > 10
    }
    assert {each.offset: each.disposition for each in late} == expected
    assert offsets == [o for o in range(len(times)) if o not in expected]
    assert watermarks == {
        o: max(times[: o + 1]) - 11 for o, what in expected.items() if what == "revision"
    }
