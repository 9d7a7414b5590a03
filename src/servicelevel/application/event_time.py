"""Reads the times that events carry, as integer epoch milliseconds; fractions are floored."""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EARLIEST_MS = 946_684_800_000
"""2000-01-01T00:00:00Z. What lies before it is an epoch in seconds, or a clock that was not set."""

RFC3339_LENGTH = 48
"""Longer texts are no times: what is remembered of them is bounded."""

_SECOND = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)", re.ASCII)
_REST = re.compile(r"(?:\.(\d{1,18}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))", re.ASCII)
_SECOND_LENGTH = 19
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def rfc3339_ms(text: str) -> int:
    """The time of an RFC 3339 text such as `2026-01-01T00:00:00.123Z`; ValueError if it is none.

    Both halves repeat from event to event (the second, and the fraction with the offset), so
    that most texts are answered from memory.
    """
    if len(text) > RFC3339_LENGTH:
        raise ValueError("an RFC 3339 time is not so long")
    return second_ms(text[:_SECOND_LENGTH]) + rest_ms(text[_SECOND_LENGTH:])


@lru_cache(maxsize=1024)
def second_ms(text: str) -> int:
    """The time of `2026-01-01T00:00:00`, were it in UTC; a leap second counts as the next."""
    match = _SECOND.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} does not begin like an RFC 3339 time")
    year, month, day, hour, minute, second = map(int, match.groups())
    leap = second == 60
    moment = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    return datetime_ms(moment) + leap * 1000


@lru_cache(maxsize=4096)
def rest_ms(text: str) -> int:
    """What the fraction and the offset, as in `.123+02:00`, add to the second."""
    match = _REST.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no fraction with `Z` or an offset such as `+02:00`")
    fraction, sign, hours, minutes = match.groups(default="")
    offset = (int(hours) * 60 + int(minutes)) * 60_000 if sign else 0
    return int((fraction + "000")[:3]) + (offset if sign == "-" else -offset)


def datetime_ms(moment: datetime) -> int:
    """Epoch milliseconds of a datetime; without a zone it is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def time_ms(raw: object) -> int:
    """The time of an event's field as decoded; ValueError if it is none."""
    if isinstance(raw, str):
        return rfc3339_ms(raw)
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, float) and math.isfinite(raw):
        return math.floor(raw)
    raise ValueError(f"{raw!r} is no time")
