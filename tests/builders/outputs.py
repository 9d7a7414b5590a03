"""Outputs for tests: sensible in every field, changed where the test says so."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from servicelevel.domain.outputs import AlertState, Evidence, Status, Transition
from servicelevel.domain.severity import Severity
from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent
from servicelevel.schemas.outputs import message, parse_status, parse_transition

AT = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z

_TRANSITION = Transition(
    id="a1.raised",
    kind="warning",
    state=AlertState.RAISED,
    alert_id="a1",
    slo="checkout-availability",
    objective="main",
    service="checkout",
    group="",
    severity=Severity.PAGE,
    rule="1h/5m",
    at_ms=AT,
    raised_at_ms=AT,
    burn_rate_long=20.0,
    burn_rate_short=25.0,
    good=980,
    total=1000,
    target=Fraction(999, 1000),
    budget_remaining=-19.0,
    early=False,
    definition_digest="d1",
    evidence=Evidence(from_ms=AT - 10_000),
)
_STATUS = Status(
    slo="checkout-availability",
    objective="main",
    service="checkout",
    group="",
    at_ms=AT,
    good=980,
    total=1000,
    sli=0.98,
    target=Fraction(999, 1000),
    allowed=1.0,
    consumed=20,
    remaining_ratio=-19.0,
    burn_rates={"1h": 20.0, "6h": None},
    state="warning",
    severity=Severity.PAGE,
    warning_alert_id="a1",
    breach_alert_id=None,
    window_ms=30 * 86_400_000,
    definition_digest="d1",
)


def transition(**changed: Any) -> Transition:
    """A warning that is raised; its id follows from alert, state, time and early."""
    made = replace(_TRANSITION, **changed)
    if "id" in changed:
        return made
    early = ".early" if made.early else ""
    return replace(made, id=f"{made.alert_id}.{made.state}.{made.at_ms}{early}")


def event_of(output: Transition | Status) -> AlertEvent | StatusEvent:
    """What a reader makes of the message of an output."""
    value = message(output).value
    assert value is not None
    return parse_status(value) if isinstance(output, Status) else parse_transition(value)


def status(**changed: Any) -> Status:
    """A status of an objective in a warning."""
    return replace(_STATUS, **changed)
