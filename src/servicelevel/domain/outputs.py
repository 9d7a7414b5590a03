"""What the evaluator tells: transitions of alerts, and statuses. Plain values, no transport."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from servicelevel.domain.corrections import Correction
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Number

AlertKind = Literal["warning", "breach"]


class AlertState(StrEnum):
    """What a transition made of an alert."""

    RAISED = "raised"
    ESCALATED = "escalated"
    DEESCALATED = "deescalated"
    REVISED = "revised"
    RESOLVED = "resolved"
    RETRACTED = "retracted"  # an early transition that the complete pane did not bear out


@dataclass(frozen=True, slots=True)
class Evidence:
    """The numbers that decided, and where the bad events came from.

    `windows` maps "1h" and the like to (good, total), in events or slices. `offsets` maps a source
    to its first and last bad offset, `dimensions` a `name=value` to bad events, most first; both
    over `(from_ms, at_ms]`.
    """

    from_ms: int
    windows: Mapping[str, tuple[Number, int]] = field(default_factory=dict)
    offsets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    dimensions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alert, at event time `at_ms` (a pane's end).

    `id` names this transition, `alert_id` the alert from its raising to its end; both derive
    from what happened. Burn rates are ratios to the budget's even spending (1 spends it just in
    the window); `good`, `total` and `budget_remaining` (ratio, below 0 when overspent) are over
    the objective's whole window.
    """

    id: str
    kind: AlertKind
    state: AlertState
    alert_id: str
    slo: str
    objective: str
    service: str
    group: str
    severity: Severity
    rule: str
    at_ms: int
    raised_at_ms: int
    burn_rate_long: float | None
    burn_rate_short: float | None
    good: Number
    total: int
    target: Fraction
    budget_remaining: float | None
    early: bool
    definition_digest: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the budget will be spent at the pace of the last `over_ms`, in epoch ms.

    The interval is that of 95 % for the true pace; None: not at that pace.
    """

    over_ms: int
    earliest_ms: int | None
    expected_ms: int | None
    latest_ms: int | None


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile of a field over the last interval with events, `ratio` 0.99 for p99.

    `value` is within the sketch's relative error of the true one.
    """

    ratio: Fraction
    value: float
    at_ms: int


@dataclass(frozen=True, slots=True)
class Status:
    """An objective and group at `at_ms`; events after it do not count.

    `sli` and `remaining_ratio` are None without events. `allowed` and `consumed` are counts of
    bad events (bad slices for slice methods; parts of slices where a slice counts by its ratio).
    `corrections` are those that touch the window. `state` is `no_data`, `ok`, `warning` or
    `breached`; `severity` that of the open warning.
    """

    slo: str
    objective: str
    service: str
    group: str
    at_ms: int
    good: Number
    total: int
    sli: float | None
    target: Fraction
    allowed: float
    consumed: Number
    remaining_ratio: float | None
    burn_rates: Mapping[str, float | None]
    state: str
    severity: Severity | None
    warning_alert_id: str | None
    breach_alert_id: str | None
    window_ms: int
    definition_digest: str
    forecast: Forecast | None = None
    corrections: tuple[Correction, ...] = ()
    percentile: Percentile | None = None


@dataclass(frozen=True, slots=True)
class StatusRemoved:
    """No SLO has this objective and group any more, as of `at_ms`: its last status is void."""

    slo: str
    objective: str
    service: str
    group: str
    at_ms: int


Output = Transition | Status | StatusRemoved


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot be read, whole: `reason` is a code, `detail` says what was wrong.

    With `last_offset`: all records from `offset` to that one, which were deleted unread.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    value: bytes | None
    key: bytes | None
    timestamp_ms: int
    last_offset: int | None = None


@dataclass(frozen=True, slots=True)
class LateEvent:
    """An event behind its source's watermark: counted all the same (`revision`) or `dropped`."""

    topic: str
    partition: int
    offset: int
    service: str
    time_ms: int
    watermark_ms: int
    lateness_ms: int
    disposition: Literal["revision", "dropped"]
    value: bytes
    place: tuple[int, ...] = ()
    """Where in the record, if that holds many events; `value` is then the event's own part."""
