"""Low traffic: what a single failure means, and the ways not to be woken by it."""

from fractions import Fraction

import pytest

from servicelevel.domain.burn import Budget, burn_rate, exceeds_weighted, holds, severity_of
from servicelevel.domain.rules import BurnRate, LowTraffic, Rule
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Sight
from servicelevel.domain.span import Counts
from servicelevel.domain.time import DAY_MS, HOUR_MS

T999 = Fraction(999, 1000)
MONTH = 30 * DAY_MS


def sight(hour: Counts, month: Counts = (0, 0)) -> Sight:
    return Sight(0, MONTH, MONTH, MONTH, {HOUR_MS: hour, MONTH: month})


def test_one_failure_of_ten_an_hour_spends_an_eighth_of_the_month() -> None:
    """SRE Workbook, chapter 5: 13.9 % of the budget; its burn rate is 100, not 1,000."""
    month = 10 * 24 * 30
    assert burn_rate((9, 10), T999) == 100.0
    budget = Budget.of(month - 1, month, T999)
    assert budget.remaining_ratio is not None
    assert round(100 * (1 - budget.remaining_ratio), 1) == 13.9


def test_a_burn_rate_weighted_by_traffic() -> None:
    """100 of 120 failed where 125 an hour are usual: 0.8333 · 0.96 = 0.80."""
    month = 125 * 24 * 30
    assert Fraction(100, 120) * Fraction(120, 125) == Fraction("0.8")
    below, at = Fraction("0.7999") / (1 - T999), Fraction("0.8") / (1 - T999)
    assert exceeds_weighted(100, HOUR_MS, month, MONTH, T999, below)
    assert not exceeds_weighted(100, HOUR_MS, month, MONTH, T999, at)


def test_the_mean_is_over_the_time_that_has_passed() -> None:
    """One of 1,000 events in the first half hour of a month is no more than it looks like."""
    assert not exceeds_weighted(1, HOUR_MS, 1_000, HOUR_MS // 2, T999, Fraction("14.4"))


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        ((9, 10), None),  # too few events, too few failures
        ((95, 100), Severity.PAGE),
        ((98, 100), None),  # enough events, too few failures
        ((0, 99), None),
    ],
)
def test_few_events_or_failures_are_no_alert(hour: Counts, expected: Severity | None) -> None:
    low = LowTraffic(min_events=100, min_failures=5)
    rule = Rule("1h", BurnRate(HOUR_MS, Fraction(1)), Severity.PAGE, low_traffic=low)
    assert holds(rule.condition, sight(hour), T999)
    assert severity_of(rule, sight(hour)) is expected


def test_few_failures_may_be_a_ticket_instead() -> None:
    low = LowTraffic(min_failures=6, severity=Severity.TICKET)
    rule = Rule("1h", BurnRate(HOUR_MS, Fraction(1)), Severity.PAGE, low_traffic=low)
    assert severity_of(rule, sight((95, 100))) is Severity.TICKET
    assert severity_of(rule, sight((94, 100))) is Severity.PAGE
