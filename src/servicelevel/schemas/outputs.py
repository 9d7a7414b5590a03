"""From what the domain says to what is written to Kafka, and back for those who read it.

The same output always gives the same event, byte for byte, so that a repeat can be dropped by
its `id`.
"""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from typing import NamedTuple

from servicelevel.domain.corrections import Correction
from servicelevel.domain.outputs import (
    AlertKind,
    Evidence,
    Forecast,
    Output,
    Percentile,
    Status,
    StatusRemoved,
    Transition,
)
from servicelevel.domain.sight import Number
from servicelevel.domain.time import duration_text
from servicelevel.schemas.cloudevents import (
    AlertData,
    AlertEvent,
    CloudEvent,
    CorrectionData,
    ErrorBudget,
    EvidenceData,
    ForecastData,
    OffsetSpan,
    PercentileData,
    StatusData,
    StatusEvent,
    WindowCounts,
)
from servicelevel.schemas.moments import rfc3339


class Message(NamedTuple):
    """What is written to Kafka: `topic` without prefix, `value` None for a tombstone."""

    topic: str
    key: bytes
    value: bytes | None


def cloudevent(output: Transition | Status) -> AlertEvent | StatusEvent:
    """The event of a transition or status. The same output gives the same event, byte for byte."""
    return _alert(output) if isinstance(output, Transition) else _status(output)


def message(output: Output) -> Message:
    """Topic, key and value of an output; of a status that is void, its key's tombstone."""
    if isinstance(output, StatusRemoved):
        return Message("status", output_key(output), None)
    topic = "status" if isinstance(output, Status) else _TOPICS[output.kind]
    return Message(topic, output_key(output), encode(cloudevent(output)))


def status_document(status: Status) -> bytes:
    """The data of a status event alone, as JSON."""
    return _status(status).data.model_dump_json().encode()


def output_key(output: Output) -> bytes:
    """`slo/objective`, with `/group` where there is one: compaction keeps the last of each."""
    return _path(output.slo, output.objective, output.group).encode()


def encode(event: CloudEvent) -> bytes:
    """One event as compact JSON."""
    return event.model_dump_json().encode()


def parse_status(value: bytes) -> StatusEvent:
    """Read a message of `status`. Raises `pydantic.ValidationError`."""
    return StatusEvent.model_validate_json(value)


def parse_transition(value: bytes) -> AlertEvent:
    """Read a message of `warnings` or `breaches`. Raises `pydantic.ValidationError`."""
    return AlertEvent.model_validate_json(value)


_TOPICS: Mapping[AlertKind, str] = {"warning": "warnings", "breach": "breaches"}


def _alert(transition: Transition) -> AlertEvent:
    return AlertEvent(
        id=transition.id,
        type=f"servicelevel.{transition.kind}.{transition.state.value}",
        subject=_path(transition.slo, transition.group),
        time=rfc3339(transition.at_ms),
        data=AlertData(
            alert_id=transition.alert_id,
            kind=transition.kind,
            state=transition.state,
            severity=transition.severity,
            slo=transition.slo,
            objective=transition.objective,
            service=transition.service,
            group=transition.group,
            rule=transition.rule,
            raised_at=rfc3339(transition.raised_at_ms),
            burn_rate_long=transition.burn_rate_long,
            burn_rate_short=transition.burn_rate_short,
            good=_amount(transition.good),
            total=transition.total,
            target=_ratio(transition.target),
            budget_remaining=transition.budget_remaining,
            early=transition.early,
            definition_digest=transition.definition_digest,
            evidence=_evidence(transition.evidence),
        ),
    )


def _evidence(evidence: Evidence) -> EvidenceData:
    return EvidenceData(
        since=rfc3339(evidence.from_ms),
        windows={
            name: WindowCounts(good=_amount(good), total=total)
            for name, (good, total) in evidence.windows.items()
        },
        offsets={
            source: OffsetSpan(first=first, last=last)
            for source, (first, last) in evidence.offsets.items()
        },
        dimensions=dict(evidence.dimensions),
    )


def _status(status: Status) -> StatusEvent:
    data = StatusData(
        slo=status.slo,
        objective=status.objective,
        service=status.service,
        group=status.group,
        at=rfc3339(status.at_ms),
        good=_amount(status.good),
        total=status.total,
        sli=status.sli,
        target=_ratio(status.target),
        error_budget=ErrorBudget(
            allowed=status.allowed,
            consumed=_amount(status.consumed),
            remaining_ratio=status.remaining_ratio,
        ),
        burn_rates=dict(status.burn_rates),
        state=status.state,
        severity=status.severity,
        window_ms=status.window_ms,
        warning_alert_id=status.warning_alert_id,
        breach_alert_id=status.breach_alert_id,
        definition_digest=status.definition_digest,
        forecast=None if status.forecast is None else _forecast(status.forecast),
        corrections=[_correction(each) for each in status.corrections],
        percentile=None if status.percentile is None else _percentile(status.percentile),
    )
    content = data.model_dump_json().encode()
    return StatusEvent(
        id=sha256(content).hexdigest()[:32],  # a status of other content is another event
        subject=_path(status.slo, status.group),
        time=data.at,
        data=data,
    )


def _forecast(forecast: Forecast) -> ForecastData:
    ends = (forecast.earliest_ms, forecast.expected_ms, forecast.latest_ms)
    earliest, expected, latest = (None if end is None else rfc3339(end) for end in ends)
    return ForecastData(
        over=duration_text(forecast.over_ms), earliest=earliest, expected=expected, latest=latest
    )


def _correction(correction: Correction) -> CorrectionData:
    return CorrectionData(
        name=correction.name,
        since=rfc3339(correction.from_ms),
        until=rfc3339(correction.to_ms),
        effect=correction.effect,
        by=correction.by,
        reason=correction.reason,
        recorded_at=correction.recorded_at,
    )


def _percentile(percentile: Percentile) -> PercentileData:
    return PercentileData(
        percentile=_ratio(percentile.ratio * 100),
        value=percentile.value,
        at=rfc3339(percentile.at_ms),
    )


def _amount(number: Number) -> int | float:
    return number if isinstance(number, int) else _ratio(number)


def _path(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _ratio(value: Fraction) -> float:
    return value.numerator / value.denominator
