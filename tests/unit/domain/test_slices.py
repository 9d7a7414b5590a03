"""Slices, with the worked values that others publish."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.corrections import Stretch
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.lens import Lens, View
from servicelevel.domain.panes import Panes
from servicelevel.domain.slices import RATIO_SCALE, RateSlices, RatioSlices, TimeSlices
from servicelevel.domain.span import Counts, Span
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from servicelevel.domain.windows import Windows
from tests.builders.ladder import LADDER

WEEK = 7 * DAY_MS
T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z, on the grid of days
PANE = MINUTE_MS


def panes_of(counts: dict[int, Counts], slice_ms: int) -> Panes:
    """By minutes since T0."""
    panes = Panes(LADDER.for_pane(PANE).for_slices(min(slice_ms, SPAN_MS)), PANE)
    for minute, (good, total) in counts.items():
        end = T0 + minute * MINUTE_MS
        span_end = -(-end // SPAN_MS) * SPAN_MS
        if span_end not in panes.spans:
            panes.put(Span(span_end, SPAN_MS))
        panes.spans[span_end].add(end, good, total)
        panes.first_ms = min(panes.first_ms or end, end)
    return panes


def sums(counts: dict[int, Counts], lens: Lens, window_ms: int = WEEK) -> Counts:
    assert lens.slices is not None
    view = View(panes_of(counts, lens.slices.length_ms), lens)
    return Windows(view, [window_ms], T0 + window_ms).filled()[window_ms]


def test_80_bad_minutes_of_a_week() -> None:
    """Elastic's worked value: 10,080 slices of a minute, 80 of them bad: 0.99206349."""
    minutes = {m: ((0, 1) if m <= 80 else (1, 1)) for m in range(1, 10_081)}
    good, total = sums(minutes, Lens(TimeSlices(MINUTE_MS, Fraction(95, 100))))
    assert (total - good, total) == (80, 10_080)
    assert round(good / total, 8) == 0.99206349


def test_10_bad_hours_of_a_week() -> None:
    """Elastic's worked value: 168 slices of an hour, 10 of them bad: 0.94047619."""
    hours = {60 * h + 30: ((1, 2) if h < 10 else (2, 2)) for h in range(168)}
    good, total = sums(hours, Lens(TimeSlices(HOUR_MS, Fraction(95, 100))))
    assert (total - good, total) == (10, 168)
    assert round(good / total, 8) == 0.94047619


def test_99_95_percent_of_a_week_is_a_budget_of_5_04_minutes() -> None:
    assert float((1 - Fraction("0.9995")) * WEEK / MINUTE_MS) == 5.04


@pytest.mark.parametrize(
    ("effect", "bad", "total", "percent"),
    [("remove", 60, 8_640, 0.694), ("good", 60, 10_080, 0.595)],
)
def test_a_correction_of_a_day_in_a_week(effect: str, bad: int, total: int, percent: float) -> None:
    """The day is removed, or counted as up: 60 of 8,640 minutes, or of 10,080."""
    minutes = {m: ((0, 1) if m <= 60 or m > 8_640 else (1, 1)) for m in range(1, 10_081)}
    day = Stretch(T0 + 6 * DAY_MS, T0 + WEEK, effect)  # type: ignore[arg-type]  # a parameter
    lens = Lens(TimeSlices(MINUTE_MS, Fraction(1, 2)), stretches=(day,))
    good, all_of_them = sums(minutes, lens)
    assert (all_of_them - good, all_of_them) == (bad, total)
    assert round(100 * bad / total, 3) == percent


def test_a_ratio_slice_counts_by_its_ratio() -> None:
    """The form of S3's SLA: the mean of five-minute error rates."""
    lens = Lens(RatioSlices(5 * MINUTE_MS))
    good, total = sums({5: (1, 2), 10: (90, 100), 15: (0, 0), 20: (1, 1)}, lens, HOUR_MS)
    assert total == 3 * RATIO_SCALE
    assert Fraction(good, total) == Fraction("0.8")


def test_slices_without_events_do_not_count_unless_told() -> None:
    minutes: dict[int, Counts] = {1: (1, 1), 60: (1, 1)}
    target = Fraction(1, 2)
    assert sums(minutes, Lens(TimeSlices(MINUTE_MS, target)), HOUR_MS) == (2, 2)
    bad = Lens(TimeSlices(MINUTE_MS, target), no_data="bad")
    assert sums(minutes, bad, HOUR_MS) == (2, 60)
    good = Lens(TimeSlices(MINUTE_MS, target), no_data="good")
    assert sums(minutes, good, HOUR_MS) == (60, 60)


def test_an_interval_without_events_keeps_an_upper_bound_and_not_a_lower_one() -> None:
    minutes: dict[int, Counts] = {1: (5, 5), 60: (5, 5)}
    at_least = RateSlices(MINUTE_MS, "gte", Fraction(3))
    at_most = RateSlices(MINUTE_MS, "lte", Fraction(3))
    assert sums(minutes, Lens(at_least), HOUR_MS) == (2, 60)
    assert sums(minutes, Lens(at_most), HOUR_MS) == (58, 60)


def test_empty_slices_of_a_removed_stretch_do_not_count() -> None:
    stretch = Stretch(T0 + 15 * MINUTE_MS, T0 + 45 * MINUTE_MS, "remove")
    lens = Lens(RateSlices(MINUTE_MS, "gte", Fraction(3)), stretches=(stretch,))
    assert sums({1: (5, 5), 60: (5, 5)}, lens, HOUR_MS) == (2, 30)


@given(
    st.lists(st.integers(0, 1_000), min_size=1, max_size=60),
    st.integers(0, 1_000),
    st.sampled_from([Fraction(1, 2), Fraction(9, 10), Fraction(99, 100), Fraction(999, 1000)]),
)
def test_a_percentile_is_judged_by_counting(values: list[int], v: int, p: Fraction) -> None:
    """The p-quantile (nearest rank) is at most v where at least the share p is at most v."""
    rank = -(-p.numerator * len(values) // p.denominator)
    quantile = sorted(values)[rank - 1]
    at_most = sum(value <= v for value in values), len(values)
    at_least = sum(value >= v for value in values), len(values)
    assert TimeSlices(MINUTE_MS, p).judge(at_most)[0] == (quantile <= v)
    assert TimeSlices(MINUTE_MS, 1 - p, strict=True).judge(at_least)[0] == (quantile >= v)
