"""Times as events write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.event_time import datetime_ms, rfc3339_ms, time_ms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600_000),
        ("2026-01-01t00:00:00.1z", 1_767_225_600_100),
        ("2026-01-01 00:00:00.123999Z", 1_767_225_600_123),
        ("2026-01-01T00:00:00.999999999Z", 1_767_225_600_999),
        ("2026-01-01T05:30:00+05:30", 1_767_225_600_000),
        ("2025-12-31T23:00:00.5-01:00", 1_767_225_600_500),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("1969-12-31T23:59:59.5Z", -500),
    ],
)
def test_reads_rfc3339(text: str, expected: int) -> None:
    assert rfc3339_ms(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00." + "1" * 40 + "Z",
        "\uff12026-01-01T00:00:00Z",
    ],
)
def test_refuses_other_text(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        rfc3339_ms(text)


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001  # zone follows
    st.integers(-23 * 60, 23 * 60),
)
def test_agrees_with_the_standard_library(moment: datetime, offset_minutes: int) -> None:
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    assert rfc3339_ms(aware.isoformat()) == datetime_ms(aware)
    assert datetime_ms(moment) == datetime_ms(moment.replace(tzinfo=UTC))


@pytest.mark.parametrize(("raw", "expected"), [(5, 5), (5.9, 5), (-0.5, -1), (10**400, 10**400)])
def test_numbers_are_epoch_milliseconds(raw: float, expected: int) -> None:
    assert time_ms(raw) == expected


@pytest.mark.parametrize("raw", [None, True, [], float("inf"), float("nan"), "5"])
def test_refuses_what_is_no_time(raw: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        time_ms(raw)
