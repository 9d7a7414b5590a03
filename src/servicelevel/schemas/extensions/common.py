"""What documents of our own version share; all else is as in OpenSLO's."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import PlainValidator

from servicelevel.schemas.openslo.common import Metadata, StrictModel, pattern_of, problem

API_VERSION = "servicelevel/v1"

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[-+][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ExtensionDocument(StrictModel):
    """What every kind of ours has."""

    api_version: Literal["servicelevel/v1"]
    metadata: Metadata


class Moment(NamedTuple):
    """A point in time and how it was written."""

    text: str
    ms: int


def _moment(value: Any) -> Moment:
    try:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value):
            raise ValueError(value)
        ms = (datetime.fromisoformat(value) - _EPOCH) // timedelta(milliseconds=1)
        if ms < 0:
            raise ValueError(value)
    except ValueError:
        raise problem(
            "servicelevel/time",
            "must be an RFC 3339 time since 1970: write for example 2026-01-31T22:00:00+01:00, or "
            "2026-01-31T21:00:00Z",
        ) from None
    return Moment(value, ms)


Instant = Annotated[
    Moment, PlainValidator(_moment, json_schema_input_type=Annotated[str, pattern_of(_INSTANT)])
]
