"""Calendar windows: periods of days, weeks, months, quarters or years in a time zone.

The zone is an argument: whoever makes a calendar brings the IANA data that ships with the package.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from servicelevel.domain.time import HOUR_MS, MINUTE_MS

Unit = Literal["m", "h", "d", "w", "M", "Q", "Y"]

_MONTHS: dict[str, int] = {"M": 1, "Q": 3, "Y": 12}
_DAYS: dict[str, int] = {"d": 1, "w": 7}
_FIXED_MS: dict[str, int] = {"m": MINUTE_MS, "h": HOUR_MS}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods of `count` units one after the other, one of which begins at `start`.

    `start` is a local time without zone; periods run in both directions from it. Days and longer
    units begin at the same local time, so that a day of a clock change has 23 or 25 hours; months
    begin on the same day of the month, or its last where it is shorter. Minutes and hours are of
    fixed length. A period `(begin, end]` is open on the left, as panes are: an event at just
    midnight belongs to the day before.
    """

    start: datetime
    zone_name: str
    count: int
    unit: Unit
    zone: tzinfo = field(compare=False, repr=False)

    def period(self, at_ms: int) -> tuple[int, int]:
        """(begin, end) in epoch ms of the period with `begin < at ≤ end`."""
        number = self._guess(at_ms)
        while self._begin(number) >= at_ms:
            number -= 1
        while self._begin(number + 1) < at_ms:
            number += 1
        return self._begin(number), self._begin(number + 1)

    def _guess(self, at_ms: int) -> int:
        if self.unit in _FIXED_MS:
            return (at_ms - self._begin(0)) // (_FIXED_MS[self.unit] * self.count)
        local = (_EPOCH + at_ms * _MILLISECOND).astimezone(self.zone)
        if self.unit in _DAYS:
            return (local.replace(tzinfo=None) - self.start).days // (_DAYS[self.unit] * self.count)
        months = (local.year - self.start.year) * 12 + local.month - self.start.month
        return months // (_MONTHS[self.unit] * self.count)

    def _begin(self, number: int) -> int:
        """Where the period of this number begins, in epoch ms; 0 is the one at `start`."""
        if self.unit in _FIXED_MS:
            return self._instant(self.start) + number * _FIXED_MS[self.unit] * self.count
        if self.unit in _DAYS:
            days = number * _DAYS[self.unit] * self.count
            return self._instant(self.start + timedelta(days=days))
        return self._instant(_plus_months(self.start, number * _MONTHS[self.unit] * self.count))

    def _instant(self, local: datetime) -> int:
        # A local time that a clock change leaves out is taken as if it had not changed yet.
        return (local.replace(tzinfo=self.zone) - _EPOCH) // _MILLISECOND


def _plus_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 29 if month == 1 and is_leap else _MONTH_DAYS[month]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, days))
