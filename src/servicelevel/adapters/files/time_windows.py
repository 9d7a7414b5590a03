"""Reads the window of an SLO: rolling, or periods of the calendar."""

from datetime import datetime
from typing import NamedTuple, cast

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.zones import shipped_zone
from servicelevel.domain.calendar import Calendar, Unit
from servicelevel.domain.time import DAY_MS
from servicelevel.schemas.openslo import objective as schema
from servicelevel.schemas.openslo.objective import SloSpec, TimeWindow

MAX_WINDOW_MS = 366 * DAY_MS
FIRST_YEAR, LAST_YEAR = 1970, 2199
QUARTER_MINUTES = 15
"""Panes of any age end on these, so a period that does is counted exactly."""


class Window(NamedTuple):
    """Its length, of a calendar period nominally, and the calendar if it is none that rolls."""

    ms: int
    calendar: Calendar | None


def read_window(spec: SloSpec, site: Site, report: Report) -> Window | None:
    """The window; None after reporting why it cannot be evaluated. `site` is that of the spec."""
    if not spec.time_window:
        message = "without timeWindow nothing is evaluated: add one, such as 30d, rolling"
        report.refuse(site, "unsupported/time-window", message)
        return None
    window, place = spec.time_window[0], site.at("timeWindow", 0)
    if window.duration.ms > MAX_WINDOW_MS:
        message = f"{window.duration.text} is more than {MAX_WINDOW_MS // DAY_MS} days: write less"
        report.refuse(place.at("duration"), "unsupported/time-window", message)
        return None
    if window.calendar is None:
        return Window(window.duration.ms, None)
    calendar = _calendar(window, window.calendar, place, report)
    return None if calendar is None else Window(window.duration.ms, calendar)


def _calendar(
    window: TimeWindow, written: schema.Calendar, site: Site, report: Report
) -> Calendar | None:
    start = datetime.fromisoformat(written.start_time)
    count, unit = int(window.duration.text[:-1]), cast(Unit, window.duration.text[-1])
    place = site.at("calendar", "startTime")
    refusals = []
    if start.minute % QUARTER_MINUTES or start.second:
        whole = start.replace(minute=start.minute // QUARTER_MINUTES * QUARTER_MINUTES, second=0)
        message = f"periods begin on a quarter of an hour: write for example {whole}"
        refusals.append((place, message))
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        message = f"periods begin between {FIRST_YEAR} and {LAST_YEAR}: write for example 2026"
        refusals.append((place, message))
    if unit == "m" and count % QUARTER_MINUTES:
        message = (
            f"{window.duration.text} is no multiple of 15 minutes: write for example 15m, or "
            "isRolling: true without calendar"
        )
        refusals.append((site.at("duration"), message))
    for where, message in refusals:
        report.refuse(where, "unsupported/calendar", message)
    if refusals:
        return None
    return Calendar(start, written.time_zone, count, unit, shipped_zone(written.time_zone))
