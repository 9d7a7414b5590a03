"""When the budget is spent, and how sure that is."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.burn import holds
from servicelevel.domain.forecast import Z_95, eta, wilson
from servicelevel.domain.rules import Exhaustion
from servicelevel.domain.sight import Sight
from servicelevel.domain.time import DAY_MS, HOUR_MS

MONTH = 30 * DAY_MS
T99 = Fraction(99, 100)


@pytest.mark.parametrize(
    ("bad", "total", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17 (1998), p. 857: table I, method 3, per cent
        (81, 263, 25.53, 36.62),
        (15, 148, 6.24, 16.05),
        (0, 20, 0.00, 16.11),
        (1, 29, 0.61, 17.18),
    ],
)
def test_wilson_intervals(bad: int, total: int, low: float, high: float) -> None:
    found = wilson(bad, total, Z_95)
    assert [round(100 * each, 2) for each in found] == [low, high]


@given(st.integers(1, 10_000), st.data())
def test_the_interval_holds_the_ratio(total: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, total))
    low, high = wilson(bad, total, Z_95)
    assert 0 <= low <= bad / total <= high + 1e-12 <= 1 + 1e-12


@pytest.mark.parametrize("burn", [1, 2, 14.4])
def test_a_whole_budget_lasts_the_period_over_the_burn_rate(burn: float) -> None:
    left = eta((1_000, 1_000), MONTH, (round(burn * 10_000), 1_000_000), 0.01)
    assert left is not None
    assert left.expected_ms == pytest.approx(MONTH / burn)


def test_half_of_the_budget_lasts_half_as_long() -> None:
    left = eta((9_950, 10_000), MONTH, (100, 10_000), 0.01)
    assert left is not None
    assert left.expected_ms == pytest.approx(MONTH / 2)
    assert left.earliest_ms is not None
    assert left.latest_ms is not None
    assert left.earliest_ms < MONTH / 2 < left.latest_ms


def test_without_bad_events_the_budget_is_never_spent_and_once_spent_it_is_so_now() -> None:
    never = eta((1_000, 1_000), MONTH, (0, 100), 0.01)
    assert never is not None
    assert (never.expected_ms, never.latest_ms) == (None, None)
    assert eta((900, 1_000), MONTH, (0, 100), 0.01) == (0.0, 0.0, 0.0)
    assert eta((0, 0), MONTH, (0, 100), 0.01) is None
    assert eta((1, 1), MONTH, (0, 0), 0.01) is None


def sight(pace: tuple[int, int], ends_ms: int | None = None) -> Sight:
    return Sight(0, MONTH, MONTH, MONTH, {MONTH: (9_950, 10_000), HOUR_MS: pace}, ends_ms=ends_ms)


def test_exhaustion_is_told_when_even_the_slowest_pace_leads_there() -> None:
    # half of the budget left: at 60 times the budgeted pace it lasts 6 hours
    rule = Exhaustion(DAY_MS, HOUR_MS)
    assert holds(rule, sight((400, 1_000)), T99)
    assert not holds(rule, sight((990, 1_000)), T99)


def test_one_failure_alone_says_little() -> None:
    # by itself it would mean 3.6 hours; but the true ratio may be as low as 20.7 %: 17.4 hours
    assert not holds(Exhaustion(12 * HOUR_MS, HOUR_MS), sight((0, 1)), T99)
    assert holds(Exhaustion(12 * HOUR_MS, HOUR_MS), sight((0, 4)), T99)


def test_a_new_period_begins_before_the_budget_is_spent() -> None:
    rule = Exhaustion(DAY_MS, HOUR_MS)
    assert holds(rule, sight((400, 1_000), ends_ms=2 * DAY_MS), T99)
    assert not holds(rule, sight((400, 1_000), ends_ms=HOUR_MS), T99)
