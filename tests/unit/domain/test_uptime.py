"""Uptime in the forms of published agreements, with their worked values."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.lens import Lens
from servicelevel.domain.panes import Counts
from servicelevel.domain.slices import RatioSlices, TimeSlices
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from servicelevel.domain.uptime import (
    Band,
    Interval,
    Outage,
    availability,
    credit,
    downtime_ms,
    is_down,
    mean_time_between_failures_ms,
    mean_time_ms,
    user_availability,
)
from tests.unit.domain.test_slices import WEEK, sums

MONDAY = 1_767_571_200_000  # 2026-01-05T00:00:00Z
OFFICE = [
    Interval(MONDAY + day * DAY_MS + 8 * HOUR_MS, MONDAY + day * DAY_MS + 18 * HOUR_MS)
    for day in range(5)
]


def bands(*pairs: tuple[str, str]) -> list[Band]:
    """Of (below, credit), both in percent."""
    return [Band(Fraction(below) / 100, Fraction(of) / 100) for below, of in pairs]


S3 = bands(("99.9", "10"), ("99", "25"), ("95", "100"))
EC2 = bands(("99.5", "10"), ("99", "30"), ("95", "100"))
FUNCTIONS = bands(("99.5", "10"), ("99", "25"), ("95", "50"))


@pytest.mark.parametrize(
    ("table", "percent", "expected"),
    [
        (S3, "100", 0), (S3, "99.9", 0), (S3, "99.8999", 10), (S3, "99", 10),
        (S3, "98.9999", 25), (S3, "95", 25), (S3, "94.9999", 100), (S3, "0", 100),
        (EC2, "99.5", 0), (EC2, "99.4999", 10), (EC2, "99", 10),
        (EC2, "98.9999", 30), (EC2, "95", 30), (EC2, "94.9999", 100),
        (FUNCTIONS, "99.5", 0), (FUNCTIONS, "99.4999", 10), (FUNCTIONS, "99", 10),
        (FUNCTIONS, "98.9999", 25), (FUNCTIONS, "95", 25), (FUNCTIONS, "94.9999", 50),
    ],
)  # fmt: skip
def test_the_credit_of_an_uptime(table: list[Band], percent: str, expected: int) -> None:
    """A band includes its lower edge: [99, 99.9) is 10 % at S3."""
    uptime = Fraction(percent) / 100
    assert 100 * credit(uptime, table) == expected
    assert credit(uptime, table[::-1]) == credit(uptime, table)


@pytest.mark.parametrize(
    ("wholly", "half", "percent", "expected"),
    [(0, 0, "100", 0), (1, 0, "99.652778", 10), (1, 8, "98.263889", 25), (14, 2, "94.791667", 100)],
)
def test_s3_is_the_mean_of_error_rates_of_five_minutes(
    wholly: int, half: int, percent: str, expected: int
) -> None:
    """A day has 288 intervals; how many requests each has makes no difference."""
    rates = [0] * wholly + [1] * half + [2] * (288 - wholly - half)
    slices: dict[int, Counts] = {
        5 * n + 3: (good * (n + 1), 2 * (n + 1)) for n, good in enumerate(rates)
    }
    good, total = sums(slices, Lens(RatioSlices(5 * MINUTE_MS)), DAY_MS)
    uptime = Fraction(good, total)
    assert f"{100 * float(uptime):.8g}" == percent
    assert 100 * credit(uptime, S3) == expected


@pytest.mark.parametrize(
    ("down", "expected"), [(50, 0), (51, 10), (101, 30), (504, 30), (505, 100)]
)
def test_an_ec2_instance_is_down_in_minutes_without_an_answer(down: int, expected: int) -> None:
    """A week has 10,080 minutes; 0.5 % of them are 50.4, 1 % 100.8, 5 % 504."""
    minutes = {m: ((0, 3) if m <= down else (1, 3)) for m in range(1, 10_081)}
    good, total = sums(minutes, Lens(TimeSlices(MINUTE_MS, Fraction(0), strict=True)))
    assert (total - good, total) == (down, 10_080)
    assert 100 * credit(Fraction(good, total), EC2) == expected


@pytest.mark.parametrize(
    ("good", "total", "down"),
    [
        (90, 100, False),  # just 10 %
        (89, 100, True),
        (0, 99, False),  # fewer than 100 executions
        (179, 200, True),
        (0, 0, False),
    ],
)
def test_a_minute_of_functions_is_down_above_10_percent_of_100_executions(
    good: int, total: int, down: bool
) -> None:
    assert is_down((good, total), Fraction(1, 10), 100) is down
    if total >= 100:  # then it is a slice of ours
        assert TimeSlices(MINUTE_MS, Fraction(9, 10)).judge((good, total)) == (int(not down), 1)


def test_a_month_of_functions() -> None:
    """43,200 minutes; 217 of them are more than 0.5 %. Minutes of little traffic are up."""
    minutes = [(80, 100)] * 217 + [(0, 99)] * 1_000 + [(95, 100)] * (43_200 - 1_217)
    down = sum(is_down(minute, Fraction(1, 10), 100) for minute in minutes)
    assert down == 217
    assert credit(Fraction(43_200 - down, 43_200), FUNCTIONS) == Fraction(1, 10)
    assert credit(Fraction(43_200 - 216, 43_200), FUNCTIONS) == 0


def test_availability_is_of_the_agreed_service_time() -> None:
    """50 hours a week; of an outage overnight two hours are in them."""
    night = Interval(MONDAY + 17 * HOUR_MS, MONDAY + DAY_MS + 9 * HOUR_MS)
    assert downtime_ms(OFFICE, [night]) == 2 * HOUR_MS
    assert availability(OFFICE, [night]) == Fraction(48, 50)
    assert availability([Interval(MONDAY, MONDAY + WEEK)], [night]) == Fraction(168 - 16, 168)
    assert availability(OFFICE, []) == 1
    assert availability([], [night]) is None


def test_outages_at_the_same_time_are_one() -> None:
    begin = OFFICE[0].from_ms
    both = [Interval(begin, begin + HOUR_MS), Interval(begin + HOUR_MS // 2, begin + 2 * HOUR_MS)]
    assert downtime_ms(OFFICE, both) == 2 * HOUR_MS


def test_availability_by_users() -> None:
    """A tenth of the users without service for ten hours of fifty: 98 %."""
    outage = Outage(OFFICE[2], 100)
    assert user_availability(OFFICE, [outage], 1_000) == Fraction(98, 100)
    assert user_availability(OFFICE, [Outage(OFFICE[2], 1_000)], 1_000) == availability(
        OFFICE, [OFFICE[2]]
    )
    assert user_availability(OFFICE, [outage], 0) is None


def test_means_of_times() -> None:
    """In 720 hours four outages of 1, 2, 3 and 6 hours: up for 177 hours between them."""
    outages = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS]
    assert mean_time_ms(outages) == 3 * HOUR_MS
    assert mean_time_between_failures_ms(720 * HOUR_MS, outages) == 177 * HOUR_MS
    assert Fraction(177, 177 + 3) == Fraction(720 - 12, 720)
    assert mean_time_ms([]) is None
    assert mean_time_between_failures_ms(720 * HOUR_MS, []) is None


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=1, max_size=20))
def test_availability_follows_from_the_mean_times(pairs: list[tuple[int, int]]) -> None:
    """A = MTBF / (MTBF + MTTR)."""
    outages: list[Interval] = []
    now = 0
    for up, down in pairs:
        outages.append(Interval(now + up, now + up + down))
        now += up + down
    lengths = [each.to_ms - each.from_ms for each in outages]
    between, restore = mean_time_between_failures_ms(now, lengths), mean_time_ms(lengths)
    assert between is not None
    assert restore is not None
    assert availability([Interval(0, now)], outages) == between / (between + restore)
