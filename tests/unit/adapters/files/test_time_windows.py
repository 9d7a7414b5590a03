"""Windows of the calendar, with the time zones that ship with the package."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.calendar import Calendar
from servicelevel.domain.time import DAY_MS
from tests.builders.definitions import calendar, slo
from tests.builders.loaded import only

Load = Callable[..., Loaded]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def read(load: Load, window: Any) -> Calendar:
    loaded = load(slo(timeWindow=window))
    assert loaded.is_complete
    calendar = loaded.catalogue.slos["availability"].calendar
    assert isinstance(calendar, Calendar)
    return calendar


def test_a_month_in_a_zone(load: Load) -> None:
    found = read(load, calendar("1M", "2026-01-01 00:00:00", "Europe/Berlin"))
    assert (found.count, found.unit, found.zone_name) == (1, "M", "Europe/Berlin")
    assert found.start == datetime(2026, 1, 1)  # noqa: DTZ001 - local, as in the model
    assert found.period(ms("2026-03-15T12:00")) == (ms("2026-02-28T23:00"), ms("2026-03-31T22:00"))


def test_the_window_is_nominally_as_long_as_its_duration(load: Load) -> None:
    found = only(load(slo(timeWindow=calendar("1Q", "2026-01-01 00:00:00"))))
    assert found.window_ms == 90 * DAY_MS


@pytest.mark.parametrize("duration", ["15m", "45m", "2h", "1d", "2w", "3M", "1Q", "1Y"])
def test_durations(load: Load, duration: str) -> None:
    found = read(load, calendar(duration, "2026-01-01 06:45:00", "Asia/Kolkata"))
    assert f"{found.count}{found.unit}" == duration
    begin, end = found.period(ms("2026-01-01T01:15") + 1)
    assert begin == ms("2026-01-01T01:15")
    assert end > begin


@pytest.mark.parametrize(
    ("duration", "start", "says"),
    [
        ("1M", "2026-01-01 00:10:00", "2026-01-01 00:00:00"),
        ("1M", "2026-01-01 00:00:01", "2026-01-01 00:00:00"),
        ("1M", "0001-01-01 00:00:00", "between 1970"),
        ("1M", "9999-12-31 00:00:00", "between 1970"),
        ("20m", "2026-01-01 00:00:00", "multiple of 15 minutes"),
    ],
)
def test_periods_that_are_not_counted_exactly(
    load: Load, duration: str, start: str, says: str
) -> None:
    loaded = load(slo(timeWindow=calendar(duration, start)))
    assert loaded.findings == []
    (finding,) = loaded.unsupported
    assert (finding.rule, finding.severity) == ("unsupported/calendar", "error")
    assert says in finding.message
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize("duration", ["2Y", "367d", "13M"])
def test_periods_longer_than_a_year(load: Load, duration: str) -> None:
    loaded = load(slo(timeWindow=calendar(duration, "2026-01-01 00:00:00")))
    assert [f.rule for f in loaded.unsupported] == ["unsupported/time-window"]


def test_an_unquoted_start_is_text(load: Load) -> None:
    text = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow:
    - {duration: 1w, calendar: {startTime: 2026-01-05 00:00:00, timeZone: America/New_York}}
  indicator:
    metadata: {name: sli}
    spec: {thresholdMetric: {metricSource: {type: servicelevel, spec: {value: duration_ms}}}}
  objectives: [{target: 0.99, op: lt, value: 300}]
"""
    found = only(load(text)).calendar
    assert found.period(ms("2026-01-07T00:00")) == (ms("2026-01-05T05:00"), ms("2026-01-12T05:00"))
