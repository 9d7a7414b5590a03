"""From what the domain says to what is written to Kafka, and back for those who read it.

The same output always gives the same event, byte for byte, so that a repeat can be dropped by
its `id`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from servicelevel.domain.outputs import (
    AlertKind,
    Evidence,
    Output,
    Status,
    StatusRemoved,
    Transition,
)
from servicelevel.schemas.cloudevents import (
    AlertData,
    AlertEvent,
    CloudEvent,
    EvidenceData,
    OffsetSpan,
    StatusEvent,
    WindowCounts,
)
from servicelevel.schemas.moments import rfc3339
from servicelevel.schemas.numbers import amount, ratio
from servicelevel.schemas.status_json import status_event


class Message(NamedTuple):
    """What is written to Kafka: `topic` without prefix, `value` None for a tombstone."""

    topic: str
    key: bytes
    value: bytes | None


def message(output: Output) -> Message:
    """Topic, key and value of an output; of a status that is void, its key's tombstone."""
    if isinstance(output, StatusRemoved):
        return Message("status", output_key(output), None)
    if isinstance(output, Status):
        value = status_event(output, _path(output.slo, output.group))
        return Message("status", output_key(output), value)
    return Message(_TOPICS[output.kind], output_key(output), transition_event(output))


def transition_event(transition: Transition) -> bytes:
    """The event of a transition."""
    return encode(_alert(transition))


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
            good=amount(transition.good),
            total=transition.total,
            target=ratio(transition.target),
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
            name: WindowCounts(good=amount(good), total=total)
            for name, (good, total) in evidence.windows.items()
        },
        offsets={
            source: OffsetSpan(first=first, last=last)
            for source, (first, last) in evidence.offsets.items()
        },
        dimensions=dict(evidence.dimensions),
    )


def _path(*parts: str) -> str:
    return "/".join(part for part in parts if part)
