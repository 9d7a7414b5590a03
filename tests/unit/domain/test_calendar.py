"""Calendar periods in time zones, clock changes and months of all lengths included."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from servicelevel.domain.calendar import Calendar, Unit
from servicelevel.domain.time import DAY_MS, HOUR_MS

ZONES = {name: ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Kolkata")}


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def calendar(start: str, zone: str, count: int, unit: Any) -> Calendar:
    return Calendar(datetime.fromisoformat(start), zone, count, unit, ZONES[zone])


def spoken(period: tuple[int, int]) -> list[str]:
    return [datetime.fromtimestamp(t / 1_000, UTC).isoformat(timespec="minutes") for t in period]


@pytest.mark.parametrize(
    ("start", "zone", "length", "day", "begin", "end"),
    [
        ("2026-01-01", "UTC", "1d", "2026-05-06", "2026-05-06", "2026-05-07"),
        ("2026-01-05", "UTC", "1w", "2026-05-06", "2026-05-04", "2026-05-11"),
        ("2026-01-05", "UTC", "2w", "2026-05-06", "2026-04-27", "2026-05-11"),
        ("2026-01-01", "UTC", "1M", "2026-02-11", "2026-02-01", "2026-03-01"),
        ("2026-01-01", "UTC", "1Q", "2026-05-06", "2026-04-01", "2026-07-01"),
        ("2020-07-01", "UTC", "1Y", "2026-05-06", "2025-07-01", "2026-07-01"),
        ("2026-01-31", "UTC", "1M", "2026-03-01", "2026-02-28", "2026-03-31"),
        ("2024-02-29", "UTC", "1Y", "2027-01-01", "2026-02-28", "2027-02-28"),
        ("2026-01-01 06:30", "UTC", "12h", "2026-05-06", "2026-05-06T06:30", "2026-05-06T18:30"),
        # before the calendar's start, periods run on backwards
        ("2026-01-01", "UTC", "1M", "2025-11-11", "2025-11-01", "2025-12-01"),
        # 5 h 30 min ahead of UTC
        ("2026-01-01", "Asia/Kolkata", "1d", "2026-05-06", "2026-05-05T18:30", "2026-05-06T18:30"),
    ],
)  # fmt: skip
def test_periods(start: str, zone: str, length: str, day: str, begin: str, end: str) -> None:
    made = calendar(start, zone, int(length[:-1]), length[-1])
    assert made.period(ms(f"{day}T12:00+00:00")) == (utc(begin), utc(end))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-05-06", 24)]
)
def test_a_day_of_a_clock_change_has_23_or_25_hours(day: str, hours: int) -> None:
    daily = calendar("2026-01-01", "Europe/Berlin", 1, "d")
    begin, end = daily.period(ms(f"{day}T12:00+00:00"))
    assert (end - begin) / HOUR_MS == hours


def test_an_event_at_just_midnight_belongs_to_the_day_before() -> None:
    daily = calendar("2026-01-01", "UTC", 1, "d")
    midnight = ms("2026-05-06T00:00Z")
    assert daily.period(midnight)[1] == midnight
    assert daily.period(midnight + 1)[0] == midnight


@pytest.mark.parametrize("unit", ["h", "d", "w", "M", "Q", "Y"])
@pytest.mark.parametrize("count", [1, 3])
def test_periods_follow_one_another_without_gap(unit: Unit, count: int) -> None:
    made = calendar("2020-01-31 02:30", "Europe/Berlin", count, unit)
    at = ms("2026-01-01T00:00Z")
    for _ in range(40):
        begin, end = made.period(at)
        assert begin < at <= end
        assert made.period(end) == (begin, end)
        assert made.period(begin)[1] == begin
        at = end + DAY_MS // 4 if unit != "h" else end + 1


def test_a_local_time_that_is_left_out_is_taken_as_before_the_change() -> None:
    made = calendar("2026-03-01 02:30", "Europe/Berlin", 1, "d")
    begin, end = made.period(ms("2026-03-29T12:00+00:00"))
    assert spoken((begin, end)) == ["2026-03-29T01:30+00:00", "2026-03-30T00:30+00:00"]
