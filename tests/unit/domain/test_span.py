"""A span holds what a mapping from pane end to counts would, and can be written down."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.span import ZERO, Counts, Span
from servicelevel.domain.time import DAY_MS, MINUTE_MS, pane_end

END_MS = 1_767_225_600_000
COUNTS = st.sampled_from([1, 2, 200, 255, 256, 65_535, 65_536, 2**32, 2**40])
PANES = st.lists(
    st.tuples(st.integers(1, 90), COUNTS, COUNTS).map(
        lambda drawn: (drawn[0], min(drawn[1], drawn[2]), max(drawn[1], drawn[2]))
    ),
    max_size=30,
)
"""(slot, good, total) with 10 s a slot."""


def filled(panes: list[tuple[int, int, int]]) -> tuple[Span, dict[int, Counts]]:
    """A span of 15 minutes, and a mapping of the same."""
    span, plain = Span(END_MS, SPAN_MS), dict[int, Counts]()
    for slot, good, total in panes:
        end = END_MS - SPAN_MS + slot * 10_000
        span.add(end, good, total)
        had = plain.get(end, ZERO)
        plain[end] = (had[0] + good, had[1] + total)
    return span, plain


@given(PANES, st.integers(-1, 91), st.integers(-1, 91))
def test_a_span_sums_and_finds_what_was_added(
    panes: list[tuple[int, int, int]], after: int, to: int
) -> None:
    span, plain = filled(panes)
    after_ms, to_ms = (END_MS - SPAN_MS + slot * 10_000 for slot in sorted((after, to)))
    within = {end: counts for end, counts in sorted(plain.items()) if after_ms < end <= to_ms}
    assert dict(span.panes()) == plain
    assert list(span.between(after_ms, to_ms)) == list(within.items())
    sums = sum(good for good, _ in within.values()), sum(total for _, total in within.values())
    assert span.sum(after_ms, to_ms) == sums
    assert span.first_after(after_ms) == min((e for e in plain if e > after_ms), default=None)
    assert span.last_end() == max(plain, default=None)


@given(PANES)
def test_what_was_written_down_is_read_again(panes: list[tuple[int, int, int]]) -> None:
    span, plain = filled(panes)
    again = Span(END_MS, SPAN_MS)
    again.load(span.dump())
    assert dict(again.panes()) == plain
    assert again.dump() == span.dump()


@pytest.mark.parametrize(
    "dumped",
    [
        [10_000, 80, [1] * 11, []],  # beyond the last slot
        [10_000, -1, [1, 1], []],
        [10_000, 0, [1, -1], []],
        [10_000, 0, [1, 2**64], []],
        [10_000, 0, [1, 1], [1]],
    ],
)
def test_panes_that_cannot_be_are_refused(dumped: list[Any]) -> None:
    with pytest.raises((ArithmeticError, LookupError, ValueError)):
        Span(END_MS, SPAN_MS).load(dumped)


@given(PANES)
def test_the_older_form_is_read_too(panes: list[tuple[int, int, int]]) -> None:
    span, plain = filled(panes)
    again = Span(END_MS, SPAN_MS)
    again.load([number for end in sorted(plain) for number in (end, *plain[end])])
    assert dict(again.panes()) == plain
    assert again.dump() == span.dump()


@given(PANES, st.sampled_from([MINUTE_MS, 5 * MINUTE_MS, SPAN_MS]))
def test_coarser_panes_have_the_same_sums(
    panes: list[tuple[int, int, int]], resolution_ms: int
) -> None:
    span, plain = filled(panes)
    span.coarsen(resolution_ms)
    merged: dict[int, Counts] = {}
    for end, (good, total) in plain.items():
        had = merged.get(pane_end(end, resolution_ms), ZERO)
        merged[pane_end(end, resolution_ms)] = (had[0] + good, had[1] + total)
    assert dict(span.panes()) == merged


def test_a_day_of_quarters_is_a_few_hundred_bytes() -> None:
    day = Span(END_MS, DAY_MS)
    for number in range(96):
        day.add(END_MS - number * SPAN_MS, 90, 90)
    assert day.dump() == [SPAN_MS, 0, [90] * 96, []]


def test_only_bad_days_list_what_was_bad() -> None:
    day = Span(END_MS, DAY_MS)
    day.add(END_MS - 2 * SPAN_MS, 9, 10)
    day.add(END_MS, 7, 7)
    assert day.dump() == [2 * SPAN_MS, 46, [10, 7], [1, 0]]


def test_revisions_become_part_of_their_panes() -> None:
    span = Span(END_MS, SPAN_MS)
    span.add(END_MS, 1, 1)
    span.revise(END_MS, END_MS + 60_000, 1, 2)
    span.revise(END_MS - 60_000, END_MS + 120_000, 0, 1)
    assert span.last_end() == END_MS
    early, late = [END_MS - 60_000, END_MS + 120_000, 0, 1], [END_MS, END_MS + 60_000, 1, 2]
    assert span.dump_revisions() == early + late
    span.settle(END_MS + 60_000)
    assert dict(span.panes()) == {END_MS: (2, 3)}
    span.settle(END_MS + 120_000)
    assert dict(span.panes()) == {END_MS - 60_000: (0, 1), END_MS: (2, 3)}
    assert not span.revisions
