"""The tiers of an SLO without alert policies have the factors that were published."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from servicelevel.adapters.files.alert_tiers import default_tiers, tier_rules
from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.rules import Rule
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.definitions import calendar, rolling, slo
from tests.builders.loaded import factor, only

Load = Callable[..., Loaded]
NAMES = ["1h/5m", "6h/30m", "1d/2h", "3d/6h"]


def tiers(window_ms: int, step_ms: int = 10_000) -> tuple[Rule, ...]:
    return tier_rules(default_tiers(), window_ms, step_ms)


def factors(window_ms: int) -> list[float]:
    return [round(float(factor(rule)), 4) for rule in tiers(window_ms)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (7, [13.44, 3.5, 1.4, 0.98]),  # Sloth
        (28, [13.44, 5.6, 2.8, 0.9333]),  # Sloth
        (30, [14.4, 6, 3, 1]),  # SRE Workbook, Sloth, Datadog (the first three)
        (90, [21.6, 10.8, 4.5, 3]),  # Datadog (the first three)
    ],
)
def test_published_factors(days: int, expected: list[float]) -> None:
    rules = tiers(days * DAY_MS)
    assert [rule.name for rule in rules] == NAMES
    assert factors(days * DAY_MS) == expected
    assert [rule.severity for rule in rules] == [Severity.PAGE] * 2 + [Severity.TICKET] * 2


def test_factors_are_exact() -> None:
    assert factor(tiers(28 * DAY_MS)[3]) == Fraction(14, 15)


@pytest.mark.parametrize(
    ("days", "like"),
    [(10, 7), (14, 7), (15, 28), (29, 30), (31, 30), (51, 30), (52, 90), (366, 90)],
)
def test_other_windows_have_the_factors_of_the_nearest_period(days: int, like: int) -> None:
    assert factors(days * DAY_MS) == factors(like * DAY_MS)


@pytest.mark.parametrize(
    ("hours", "names"),
    [
        (5 * 24, NAMES),
        (48, ["1h/5m", "6h/30m", "1d/2h"]),
        (24, NAMES[:2]),
        (14, NAMES[:1]),
        (13, []),
    ],
)
def test_what_comes_after_the_budget_is_spent_is_left_out(hours: int, names: list[str]) -> None:
    assert [rule.name for rule in tiers(hours * HOUR_MS)] == names


def test_a_factor_below_one_is_close_to_one() -> None:
    for days in range(1, 367):
        assert all(each >= 0.93 for each in factors(days * DAY_MS))


@pytest.mark.parametrize(
    ("minutes", "names"),
    [
        (1, NAMES),
        (5, NAMES),
        (15, ["1h/15m", "6h/30m", "1d/2h", "3d/6h"]),
        (60, ["1h/1h", "6h/1h", "1d/2h", "3d/6h"]),
        (105, ["6h/105m", "1d/210m", "3d/7h"]),
        (12 * 60, ["1d/12h", "3d/12h"]),
    ],
)
def test_windows_are_no_shorter_than_a_slice(minutes: int, names: list[str]) -> None:
    rules = tiers(30 * DAY_MS, minutes * MINUTE_MS)
    assert [rule.name for rule in rules] == names


@pytest.mark.parametrize("window", [rolling("1M"), calendar("1M", "2026-01-01 00:00:00")])
def test_a_month_is_30_days(load: Load, window: list[object]) -> None:
    (objective,) = only(load(slo(timeWindow=window))).objectives
    assert [float(factor(rule)) for rule in objective.rules] == [14.4, 6, 3, 1]
