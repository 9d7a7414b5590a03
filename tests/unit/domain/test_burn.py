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


@pytest.mark.parametrize(
    ("factor", "long_hours", "days", "percent"),
    [
        ("14.4", 1, 30, 2),
        ("6", 6, 30, 5),
        ("3", 24, 30, 10),
        ("1", 72, 30, 10),
        ("16.8", 1, 7, 10),  # Datadog's of 7 and 90 days
        ("5.6", 6, 7, 20),
        ("2.8", 24, 7, 40),
        ("21.6", 1, 90, 1),
        ("10.8", 6, 90, 3),
        ("4.5", 24, 90, 5),
    ],
)
def test_what_a_burn_rate_spends_of_the_budget(
    factor: str, long_hours: int, days: int, percent: int
) -> None:
    """B · W / period: of the events of the long window so many fail, of all of the period."""
    an_hour = 1_000_000
    bad = Fraction(factor) * (1 - T999) * an_hour * long_hours
    assert bad.denominator == 1
    month = an_hour * 24 * days
    budget = Budget.of(month - int(bad), month, T999)
    assert budget.remaining_ratio == float(1 - Fraction(percent, 100))
    long = (an_hour * long_hours - int(bad), an_hour * long_hours)
    assert burn_rate(long, T999) == float(factor)
    assert not exceeds(long, T999, Fraction(factor))
    assert exceeds((long[0] - 1, long[1]), T999, Fraction(factor))


def test_a_burn_rate_is_not_rounded_before_it_is_compared() -> None:
    """slo-generator, which rounds, never warns at 9.04 of a factor of 9."""
    at_9_04 = 100_000 - 904, 100_000
    assert burn_rate(at_9_04, T999) == 9.04
    assert exceeds(at_9_04, T999, Fraction(9))


@pytest.mark.parametrize(
    ("percent", "never"),
    [
        ("1", ["14.4"]),
        ("0.6", ["14.4", "6"]),
        ("0.2", ["14.4", "6", "3"]),
        ("0.1", ["14.4", "6", "3", "1"]),
    ],
)
def test_the_factors_that_an_error_ratio_never_exceeds(percent: str, never: list[str]) -> None:
    """The empty cells in the table of detection times at 99.9 % over 30 days."""
    counts = 100_000 - int(Fraction(percent) * 1_000), 100_000
    factors = ["14.4", "6", "3", "1"]
    assert [f for f in factors if not exceeds(counts, T999, Fraction(f))] == never


def test_a_ratio_is_that_of_the_sums_and_not_the_mean_of_ratios() -> None:
    """A quiet hour in which 1 of 10 fails, and a busy one in which none of 990 does."""
    quiet, busy = (9, 10), (990, 990)
    both = quiet[0] + busy[0], quiet[1] + busy[1]
    assert burn_rate(both, T999) == 1.0
    assert (burn_rate(quiet, T999), burn_rate(busy, T999)) == (100.0, 0.0)  # their mean is 50


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
