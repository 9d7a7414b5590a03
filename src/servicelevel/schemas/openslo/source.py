"""The `spec` of our own metric source, `type: servicelevel`: events straight from the stream."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, Field

from servicelevel.domain.model import EventKind, NoDataPolicy
from servicelevel.domain.time import MINUTE_MS, SECOND_MS
from servicelevel.schemas.openslo.common import (
    Duration,
    NonEmpty,
    PaneDuration,
    StrictModel,
    WindowDuration,
    pattern_of,
    problem,
)

SOURCE_TYPE = "servicelevel"
MAX_GROUP_FIELDS = 8

THROUGHPUT = "throughput"
MAX_GROUPS = 100_000

_AGGREGATE = re.compile(r"throughput|p[0-9]{1,2}(?:\.[0-9]{1,3})?")
_FIELD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(?:\.[a-zA-Z_][a-zA-Z0-9_]*)*")


def _field(value: str) -> str:
    if not _FIELD.fullmatch(value):
        message = "must name a field of the event: write for example operation or attributes.region"
        raise problem("servicelevel/field", message)
    return value


def _where(value: str) -> str:
    if not value.strip():
        message = "is empty: write a CEL expression such as status_code < 500, or remove it"
        raise problem("servicelevel/where", message)
    return value.strip()


def _pane(value: Duration) -> Duration:
    if value.ms > MINUTE_MS or MINUTE_MS % value.ms:
        seconds = ", ".join(f"{s}s" for s in range(1, 61) if 60 % s == 0)
        message = f"must divide a minute: write one of {seconds}"
        raise problem("servicelevel/pane", message)
    return value


def _aggregate(value: str) -> str:
    is_percentile = _AGGREGATE.fullmatch(value) and value.strip("p0.")
    if value != THROUGHPUT and not is_percentile:
        message = "must be throughput, or a percentile above 0 and below 100: write for example p99"
        raise problem("servicelevel/aggregate", message)
    return value


def _unique(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise problem("servicelevel/group-by", "names a field twice: remove one")
    return value


FieldName = Annotated[str, AfterValidator(_field), pattern_of(_FIELD)]


class ServicelevelSource(StrictModel):
    """Which events are counted, and how; `value`, `aggregate` and `interval` for thresholds."""

    event: EventKind = "request"
    where: Annotated[str, AfterValidator(_where)] = ""
    service: NonEmpty | None = None
    group_by: Annotated[
        list[FieldName], Field(max_length=MAX_GROUP_FIELDS), AfterValidator(_unique)
    ] = Field(default_factory=list)
    pane: Annotated[PaneDuration, AfterValidator(_pane)] = Duration("10s", 10 * SECOND_MS)
    value: FieldName | None = None
    aggregate: Annotated[str, AfterValidator(_aggregate), pattern_of(_AGGREGATE)] | None = None
    interval: PaneDuration | None = None
    no_data: NoDataPolicy = "ignore"
    max_groups: Annotated[int, Field(ge=1, le=MAX_GROUPS)] = 1_000
    group_ttl: WindowDuration | None = None

    @property
    def percentile(self) -> Fraction | None:
        """The percentile of `value` that is asked for, as a ratio (p99 is 99/100)."""
        if self.aggregate is None or self.aggregate == THROUGHPUT:
            return None
        return Fraction(Decimal(self.aggregate.removeprefix("p"))) / 100
