"""The time window of an SLO: rolling, or the period of a calendar."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import cast
from zoneinfo import ZoneInfo

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.domain.calendar import Calendar, Unit
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.time import DAY_MS
from servicelevel.schemas.openslo.objective import SloSpec, TimeWindow

MAX_WINDOW_MS = 366 * DAY_MS
_QUARTER = timedelta(milliseconds=SPAN_MS)


@dataclass(frozen=True, slots=True)
class Window:
    """`length_ms` is that of a rolling window; of a calendar's period it is nominal."""

    length_ms: int
    calendar: Calendar | None = None


def read_window(spec: SloSpec, site: Site, report: Report) -> Window | None:
    """The window, or None after reporting why it is not evaluated; `site` is that of the spec."""
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
        return Window(window.duration.ms)
    calendar = _calendar(window)
    if not _is_on_a_quarter(calendar):
        message = "is not on a quarter of an hour, which old counts are kept by: write one that is"
        report.refuse(place.at("calendar", "startTime"), "unsupported/calendar", message)
        return None
    if window.duration.ms % SPAN_MS:
        message = f"a period of {window.duration.text} is not of whole quarters of an hour: write "
        report.refuse(place.at("duration"), "unsupported/calendar", message + "15m, 1h or 1d")
        return None
    return Window(window.duration.ms, calendar)


def _is_on_a_quarter(calendar: Calendar) -> bool:
    """Whether periods begin on quarters of an hour; of hours, the zone's offset then counts too."""
    start = calendar.start
    offset = start.replace(tzinfo=calendar.zone).utcoffset() or timedelta()
    counted = offset if calendar.unit in ("m", "h") else timedelta()
    return not (timedelta(minutes=start.minute, seconds=start.second) - counted) % _QUARTER


def _calendar(window: TimeWindow) -> Calendar:
    if window.calendar is None:
        raise AssertionError("a window that is not rolling has a calendar")
    text, zone = window.duration.text, window.calendar.time_zone
    start = datetime.fromisoformat(window.calendar.start_time)
    return Calendar(start, zone, int(text[:-1]), cast("Unit", text[-1]), time_zone(zone))


@lru_cache(maxsize=600)
def time_zone(name: str) -> ZoneInfo:
    """From the data that ships with the package, which is the same on every machine."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
