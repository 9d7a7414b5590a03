"""Times as text: RFC 3339 in UTC, with milliseconds."""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MS = -62_135_596_800_000  # 0001-01-01T00:00:00Z
_LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


def rfc3339(time_ms: int) -> str:
    """`2026-01-01T00:00:00.000Z`; what lies outside the years 1 to 9999 is moved to their edge."""
    moment = _EPOCH + min(max(time_ms, _FIRST_MS), _LAST_MS) * _MILLISECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339_moment(text: str) -> int:
    """Epoch ms of an RFC 3339 time with its offset; fractions are floored. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is no RFC 3339 time")
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
