"""Burn rates and budgets, with the worked values of the SRE Workbook, chapter 5."""

from fractions import Fraction

import pytest

from servicelevel.domain.burn import Budget, burn_rate, exceeds, holds, is_breached
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Sight
from servicelevel.domain.span import Counts
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS

T999 = Fraction(999, 1000)
PAGE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction("14.4"), Severity.PAGE)


def sight(counts: dict[int, Counts]) -> Sight:
    return Sight(0, 30 * DAY_MS, 30 * DAY_MS, 30 * DAY_MS, counts)


def test_a_burn_rate_is_the_error_ratio_over_the_budgeted_one() -> None:
    assert burn_rate((999, 1000), T999) == 1.0
    assert burn_rate((0, 10), T999) == 1000.0
    assert burn_rate((0, 0), T999) is None


def test_one_failure_of_ten_requests_an_hour_burns_a_hundredfold() -> None:
    assert burn_rate((9, 10), T999) == 100.0


def test_a_burn_rate_equal_to_the_factor_does_not_exceed_it() -> None:
    assert not exceeds((999, 1000), T999, Fraction(1))
    assert not exceeds((100_000 - 1_440, 100_000), T999, Fraction("14.4"))
    assert exceeds((100_000 - 1_441, 100_000), T999, Fraction("14.4"))


def test_a_window_without_events_exceeds_nothing() -> None:
    assert not exceeds((0, 0), T999, Fraction(0))


def test_a_rule_needs_both_of_its_windows() -> None:
    long_only = {HOUR_MS: (0, 100), 5 * MINUTE_MS: (100, 100)}

    assert not holds(PAGE.condition, sight(long_only), T999)
    assert holds(PAGE.condition, sight({HOUR_MS: (0, 100), 5 * MINUTE_MS: (0, 100)}), T999)


@pytest.mark.parametrize(
    ("good", "total", "breached"),
    [
        (999, 1000, False),  # at equality it is met
        (998, 1000, True),
        (0, 999, False),  # fewer than 1 / (1 − T): one failure would decide
        (0, 1000, True),
        (0, 0, False),
    ],
)
def test_a_breach_is_an_sli_below_its_target(good: int, total: int, breached: bool) -> None:
    assert is_breached(sight({30 * DAY_MS: (good, total)}), T999) is breached


def test_a_budget_is_counted_in_bad_events() -> None:
    assert Budget.of(99_950, 100_000, T999) == Budget(100.0, 50, 0.5)
    assert Budget.of(99_800, 100_000, T999) == Budget(100.0, 200, -1.0)
    assert Budget.of(0, 0, T999) == Budget(0.0, 0, None)
