"""The alert's state machine: every transition of an alert is decided in this file.

An alert exists per kind, SLO, objective and group. `decide` compares what holds now with the
state in force; `Alert` keeps that state and what was told early. Nothing here knows of windows.

Told early means: the pane is not complete yet. An early transition is confirmed by the on-time
one with the same alert id, or retracted once its pane has passed without it.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from servicelevel.domain.outputs import AlertKind, AlertState
from servicelevel.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class Identity:
    """What an alert is about."""

    kind: AlertKind
    slo: str
    objective: str
    group: str

    def alert_id(self, rule: str, raised_at_ms: int) -> str:
        """The same whoever decides, and whenever: derived from what happened."""
        text = "\x1f".join(
            (self.kind, self.slo, self.objective, self.group, rule, str(raised_at_ms))
        )
        return blake2b(text.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds now: the rule by name and how loud it is."""

    rule: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that is raised and not resolved."""

    alert_id: str
    rule: str
    severity: Severity
    raised_at_ms: int


@dataclass(frozen=True, slots=True)
class Early:
    """What was told before its pane was complete, at pane end `at_ms`."""

    state: AlertState
    at_ms: int
    alert: Open


@dataclass(frozen=True, slots=True)
class Step:
    """One transition to be told: the alert as it is after it (before it, where it resolves)."""

    state: AlertState
    at_ms: int
    alert: Open
    early: bool

    @property
    def id(self) -> str:
        """Unique for what it says."""
        return f"{self.alert.alert_id}.{self.state}.{self.at_ms}{'.early' if self.early else ''}"


def decide(
    identity: Identity, current: Open | None, condition: Condition | None, at_ms: int
) -> tuple[AlertState, Open] | None:
    """The transition from `current` that `condition` asks for at `at_ms`, or None."""
    if condition is None:
        return None if current is None else (AlertState.RESOLVED, current)
    if current is None:
        alert_id = identity.alert_id(condition.rule, at_ms)
        return AlertState.RAISED, Open(alert_id, condition.rule, condition.severity, at_ms)
    after = Open(current.alert_id, condition.rule, condition.severity, current.raised_at_ms)
    if condition.severity.rank > current.severity.rank:
        return AlertState.ESCALATED, after
    if condition.severity.rank < current.severity.rank:
        return AlertState.DEESCALATED, after
    return None


class Alert:
    """The state in force of one alert, and what was told early of it."""

    def __init__(
        self, identity: Identity, current: Open | None = None, early: Early | None = None
    ) -> None:
        self.identity = identity
        self.current = current
        self.early = early

    def on_time(
        self, condition: Condition | None, at_ms: int, *, revised: bool = False
    ) -> list[Step]:
        """Decide at a complete pane; also settles what was told early up to it.

        `revised`: numbers that were judged before have changed. An alert that stays as it is is
        told anew then.
        """
        steps: list[Step] = []
        decided = decide(self.identity, self.current, condition, at_ms)
        if decided is None and revised and self.current is not None and condition is not None:
            rule, severity = condition.rule, condition.severity
            after = Open(self.current.alert_id, rule, severity, self.current.raised_at_ms)
            decided = AlertState.REVISED, after
        if decided is not None:
            state, alert = decided
            steps.append(Step(state, at_ms, alert, early=False))
            self.current = None if state is AlertState.RESOLVED else alert
        if self.early is not None and self._is_due(self.early, steps, at_ms):
            if not any(self.early == Early(s.state, at_ms, s.alert) for s in steps):
                steps = [*self._take_back(self.early, at_ms, settled=bool(steps)), *steps]
            self.early = None
        return steps

    def _is_due(self, early: Early, steps: list[Step], at_ms: int) -> bool:
        """Its pane is complete, or it cannot be raised as another alert was raised before it.

        Taken back at once, so that what is told last is the alert that is open.
        """
        raised = any(step.state is AlertState.RAISED for step in steps)
        return early.at_ms <= at_ms or (raised and early.state is AlertState.RAISED)

    def _take_back(self, early: Early, at_ms: int, *, settled: bool) -> list[Step]:
        if early.state is AlertState.RAISED:
            return [Step(AlertState.RETRACTED, at_ms, early.alert, early=True)]
        if settled or self.current is None:  # the on-time step says how loud it is now
            return []
        if self.current.severity.rank >= early.alert.severity.rank:  # it came sooner than told
            return []
        return [Step(AlertState.DEESCALATED, at_ms, self.current, early=True)]

    def leave(self, at_ms: int) -> list[Step]:
        """Nobody watches any more: end what is open, and take back what was told early."""
        steps: list[Step] = []
        early, current = self.early, self.current
        if early is not None and early.state is AlertState.RAISED:
            steps.append(Step(AlertState.RETRACTED, at_ms, early.alert, early=True))
        if current is not None:
            steps.append(Step(AlertState.RESOLVED, at_ms, current, early=False))
        self.early = self.current = None
        return steps

    def ahead_of_time(self, condition: Condition | None, at_ms: int) -> list[Step]:
        """Decide at an incomplete pane: only what gets worse is told, and once."""
        if condition is None or self.early is not None:
            return []
        decided = decide(self.identity, self.current, condition, at_ms)
        if decided is None or decided[0] not in (AlertState.RAISED, AlertState.ESCALATED):
            return []
        state, alert = decided
        self.early = Early(state, at_ms, alert)
        return [Step(state, at_ms, alert, early=True)]

    def dump(self) -> list[Any]:
        """As plain JSON values; `load` reads it."""
        early = self.early
        return [
            _dump_open(self.current),
            None if early is None else [early.state.value, early.at_ms, _dump_open(early.alert)],
        ]

    @classmethod
    def load(cls, identity: Identity, raw: list[Any]) -> "Alert":
        """Read what `dump` wrote."""
        current, early = raw
        return cls(
            identity,
            None if current is None else _load_open(current),
            None if early is None else Early(AlertState(early[0]), early[1], _load_open(early[2])),
        )


def _dump_open(alert: Open | None) -> list[Any] | None:
    if alert is None:
        return None
    return [alert.alert_id, alert.rule, alert.severity.value, alert.raised_at_ms]


def _load_open(raw: list[Any]) -> Open:
    alert_id, rule, severity, raised_at_ms = raw
    return Open(alert_id, rule, Severity(severity), raised_at_ms)
