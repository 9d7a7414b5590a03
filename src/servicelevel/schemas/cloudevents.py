"""The models of what we tell: CloudEvents 1.0 JSON, one model a kind.

The JSON Schemas and the AsyncAPI document are generated from these models. A consumer must
accept fields that it does not know.
"""

from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from servicelevel.domain.outputs import AlertKind, AlertState
from servicelevel.domain.severity import Severity

SOURCE = "servicelevel"
_RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


Number = Annotated[float | None, BeforeValidator(_finite)]
Moment = Annotated[str, Field(pattern=_RFC3339, json_schema_extra={"format": "date-time"})]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", use_enum_values=True)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Amount = Annotated[int | float, BeforeValidator(_whole)]
"""Events or slices; a fraction of them where a slice counts by its ratio, and in a composite."""


class WindowCounts(_Model):
    """Good and total events (slices for slice methods) of one window."""

    good: Amount = Field(ge=0)
    total: int = Field(ge=0)


class OffsetSpan(_Model):
    """First and last offset of bad events in one source partition."""

    first: int = Field(ge=0)
    last: int = Field(ge=0)


class EvidenceData(_Model):
    """The numbers that decided, and where the bad events came from."""

    since: Moment = Field(description="Offsets and dimensions are over `(since, time]`.")
    windows: dict[str, WindowCounts] = Field(description="By window, such as `1h`.")
    offsets: dict[str, OffsetSpan] = Field(description="By source, `topic/partition`.")
    dimensions: dict[str, int] = Field(description="Bad events by `name=value`, most first.")


class AlertData(_Model):
    """One transition of one alert."""

    alert_id: str = Field(description="Names the alert from its raising to its end.")
    kind: AlertKind
    state: AlertState = Field(description="What the transition made of the alert.")
    severity: Severity
    slo: str
    objective: str
    service: str
    group: str = Field(description="Empty for all events, else `name=value,…`.")
    rule: str = Field(description="The rule that holds, such as `1h/5m`.")
    raised_at: Moment
    burn_rate_long: Number
    burn_rate_short: Number
    good: Amount = Field(ge=0, description="Over the objective's whole window.")
    total: int = Field(ge=0, description="Over the objective's whole window.")
    target: float
    budget_remaining: Number = Field(description="Ratio; below 0 when overspent.")
    early: bool = Field(description="Told before its pane was complete; confirmed or retracted.")
    definition_digest: str
    evidence: EvidenceData


class ErrorBudget(_Model):
    """Bad events (slices for slice methods) that the window allows and has."""

    allowed: Number
    consumed: Amount
    remaining_ratio: Number


class ForecastData(_Model):
    """When the budget will be spent at the pace of the last `over`; null: not at that pace.

    `earliest` and `latest` are the interval (95 %) in which the true pace leads there.
    """

    over: str
    earliest: Moment | None
    expected: Moment | None
    latest: Moment | None


class CorrectionData(_Model):
    """A span of time that does not count as it was measured."""

    name: str
    since: Moment
    until: Moment
    effect: Literal["remove", "good"]
    by: str
    reason: str
    recorded_at: str


class PercentileData(_Model):
    """A percentile over the last interval with events, within 1 % of the true value."""

    percentile: float = Field(description="Such as 99 or 99.9.")
    value: float
    at: Moment


class StatusData(_Model):
    """An objective and group as of `at`; later events do not count."""

    slo: str
    objective: str
    service: str
    group: str
    at: Moment
    good: Amount = Field(ge=0)
    total: int = Field(ge=0)
    sli: Number = Field(description="`good / total`; null without events.")
    target: float
    error_budget: ErrorBudget
    burn_rates: dict[str, Number] = Field(description="By window, such as `1h`.")
    state: str = Field(description="`no_data`, `ok`, `warning` or `breached`.")
    severity: Severity | None = Field(description="Of the open warning.")
    window_ms: int
    warning_alert_id: str | None
    breach_alert_id: str | None
    definition_digest: str
    forecast: ForecastData | None = Field(None, description="When the budget will be spent.")
    corrections: list[CorrectionData] = Field(
        default_factory=list, description="Those that touch the window."
    )
    percentile: PercentileData | None = None


class DeadLetterData(_Model):
    """A record that could not be read, whole; or records that were deleted unread (`gap`)."""

    topic: str
    partition: int
    offset: int
    last_offset: int | None = Field(
        None, description="Of a `gap`, which begins at `offset`: the last offset that is lost."
    )
    reason: str = Field(description="A code; `detail` says it in words.")
    detail: str
    timestamp_ms: int = Field(
        description="The record's own; of a `gap`, the highest event time before it."
    )
    key_base64: str | None = Field(description="At most its first 65,536 bytes.")
    value_base64: str | None = Field(description="At most its first 524,288 bytes.")
    value_bytes: int | None = Field(description="How long the whole value is.")


class LateData(_Model):
    """An event that came behind the watermark of its source."""

    topic: str
    partition: int
    offset: int
    service: str
    time_ms: int
    watermark_ms: int
    lateness_ms: int
    disposition: Literal["revision", "dropped"]
    value_base64: str = Field(description="At most its first 524,288 bytes.")
    value_bytes: int = Field(description="How long the whole value is.")


class CloudEvent(_Model):
    """The envelope of all of them, CloudEvents 1.0 in structured JSON."""

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1)
    source: str = SOURCE
    type: str
    subject: str
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str


class AlertEvent(CloudEvent):
    """`servicelevel.warning.*` and `servicelevel.breach.*`: drop repeats by `id`."""

    type: str = Field(pattern=r"^servicelevel\.(warning|breach)\.[a-z]+$")
    dataschema: Literal["urn:servicelevel:schema:alert:1"] = "urn:servicelevel:schema:alert:1"
    data: AlertData


class StatusEvent(CloudEvent):
    """The last one of a key is in force."""

    type: Literal["servicelevel.status"] = "servicelevel.status"
    dataschema: Literal["urn:servicelevel:schema:status:1"] = "urn:servicelevel:schema:status:1"
    data: StatusData


class DeadLetterEvent(CloudEvent):
    """A record of a source topic that could not be read, or records that were deleted unread."""

    type: Literal["servicelevel.dead-letter"] = "servicelevel.dead-letter"
    dataschema: Literal["urn:servicelevel:schema:dead-letter:1"] = (
        "urn:servicelevel:schema:dead-letter:1"
    )
    data: DeadLetterData


class LateEventEvent(CloudEvent):
    """An event that came too late to be on time."""

    type: Literal["servicelevel.late"] = "servicelevel.late"
    dataschema: Literal["urn:servicelevel:schema:late:1"] = "urn:servicelevel:schema:late:1"
    data: LateData
