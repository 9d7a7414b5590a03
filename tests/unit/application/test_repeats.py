"""Which events repeat another is a function of the log alone."""

from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.decode import Batch
from servicelevel.application.repeats import Repeats
from servicelevel.schemas.events import Event

LOGS = st.lists(st.sampled_from([None, "", "a", "b", "c", "d"]), max_size=40)
"""Ids of events, by offset."""


def batch(ids: list[str | None], start: int = 0) -> Batch:
    """Events with these ids at offsets from `start` on."""
    offsets = list(range(start, start + len(ids)))
    events = [
        Event(service="shop", time=offset, id=name)
        for offset, name in zip(offsets, ids, strict=True)
    ]
    return Batch(events, offsets, [b"%d" % offset for offset in offsets])


def plain(ids: list[str | None], records: int) -> list[int]:
    """The offsets that repeat none, by looking back from each."""
    return [
        offset
        for offset, name in enumerate(ids)
        if not name or name not in ids[max(0, offset - records) : offset]
    ]


@given(LOGS, st.integers(1, 12), st.lists(st.integers(1, 9), max_size=40))
def test_any_batching_leaves_out_what_looking_back_finds(
    ids: list[str | None], records: int, sizes: list[int]
) -> None:
    repeats, kept, start, left_out = Repeats(records), list[int](), 0, 0
    for size in [*sizes, len(ids)]:
        some, count = repeats.leave_out(batch(ids[start : start + size], start))
        kept += some.offsets
        left_out += count
        start += size
        assert some.values == [b"%d" % offset for offset in some.offsets]
    assert kept == plain(ids, records)
    assert left_out == len(ids) - len(kept)
    assert len(repeats) <= 2 * (records + 1)


@given(LOGS, st.integers(1, 12), st.integers(0, 40))
def test_after_a_restart_it_goes_on_as_if_there_had_been_none(
    ids: list[str | None], records: int, restart: int
) -> None:
    repeats, first = Repeats(records), max(0, restart - records)
    repeats.note(batch(ids[first:restart], first))
    some, _ = repeats.leave_out(batch(ids[restart:], restart))
    assert some.offsets == [offset for offset in plain(ids, records) if offset >= restart]


def test_events_of_one_record_are_told_apart_by_their_ids() -> None:
    unrolled = batch(["a", "b", "a"])._replace(offsets=[7, 7, 7], places=[(0,), (1,), (2,)])
    some, count = Repeats(5).leave_out(unrolled)
    assert ([event.id for event in some.events], list(some.places), count) == (
        ["a", "b"],
        [(0,), (1,)],
        1,
    )
