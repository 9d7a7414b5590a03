"""Times as people write them in definitions."""

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339_moment(text: str) -> int:
    """Epoch ms of an RFC 3339 time with its offset; fractions are floored. Raises ValueError."""
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is no RFC 3339 time")
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
