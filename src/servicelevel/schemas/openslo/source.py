"""The `spec` of our own metric source, `type: servicelevel`: events straight from the stream."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

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
MAX_GROUPS = 100_000

_AGGREGATE = re.compile(r"throughput|p(?:[1-9][0-9]?(?:\.[0-9]{1,6})?|0\.[0-9]{1,6})")
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


def _unique(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise problem("servicelevel/group-by", "names a field twice: remove one")
    return value


def _aggregate(value: str) -> str:
    is_known = _AGGREGATE.fullmatch(value) is not None
    if not is_known or (value != "throughput" and not Decimal(value[1:])):
        message = "must be throughput, or a percentile above p0 and below p100: write p99"
        raise problem("servicelevel/aggregate", message)
    return value


def _max_groups(value: Any) -> Any:
    if not 1 <= value <= MAX_GROUPS:
        message = f"must be from 1 to {MAX_GROUPS}: write for example 1000"
        raise problem("servicelevel/groups", message)
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
    max_groups: Annotated[
        int | None,
        AfterValidator(_max_groups),
        Field(json_schema_extra={"minimum": 1, "maximum": MAX_GROUPS}),
    ] = None
    group_ttl: WindowDuration | None = None
    no_data: NoDataPolicy | None = None
    pane: Annotated[PaneDuration, AfterValidator(_pane)] = Duration("10s", 10 * SECOND_MS)
    value: FieldName | None = None
    aggregate: Annotated[str, AfterValidator(_aggregate), pattern_of(_AGGREGATE)] | None = None
    interval: PaneDuration | None = None

    @model_validator(mode="after")
    def _grouped(self) -> "ServicelevelSource":
        for name, field in (("maxGroups", self.max_groups), ("groupTtl", self.group_ttl)):
            if field is not None and not self.group_by:
                message = f"{name} goes with groupBy: add groupBy, or remove it"
                raise problem("servicelevel/groups", message, name)
        return self

    @property
    def percentile(self) -> Fraction | None:
        """The share of values that `aggregate` names (p99 is 99/100), None where it is none."""
        if self.aggregate is None or self.aggregate == "throughput":
            return None
        return Fraction(self.aggregate[1:]) / 100
