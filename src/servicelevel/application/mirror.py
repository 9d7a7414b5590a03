"""Keeps a copy of statuses and alerts for those who serve them: what each message changes.

The copy and the positions it was read up to are changed together, so the copy is what the log
says up to there, whoever writes it and however often a message is read. A copy that lost its
positions is filled again from the start of the log.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from servicelevel.domain.outputs import AlertState
from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent

RECENT_ALERTS = 1_000
"""Transitions that a copy keeps, the newest."""

_ENDS = {AlertState.RESOLVED.value, AlertState.RETRACTED.value}


class Update(NamedTuple):
    """One message of an output topic; `event` is None for a tombstone of `status`."""

    key: str
    event: AlertEvent | StatusEvent | None


class Move(NamedTuple):
    """From where to where a source was read; `start` is None if it was never read."""

    start: int | None
    end: int


class Told(NamedTuple):
    """What a copy knows of a transition that it keeps."""

    id: str
    early: bool


@dataclass(slots=True)
class Changes:
    """What becomes of a copy; documents are events as they are, by key."""

    statuses: dict[str, StatusEvent | None] = field(default_factory=dict)
    open_alerts: dict[str, AlertEvent | None] = field(default_factory=dict)
    transitions: dict[str, AlertEvent] = field(default_factory=dict)


class MirrorStore(Protocol):
    """Where the copy is. Each method raises `DependencyError` if it cannot be reached."""

    async def positions(self) -> Mapping[str, int]:
        """Up to where each source is in the copy, by `topic/partition`."""

    async def apply(self, moves: Mapping[str, Move], updates: Sequence[Update]) -> bool:
        """Change copy and positions at once, or nothing: False if a move does not start there."""

    async def clear(self) -> None:
        """Forget copy and positions."""


class StatusReader(Protocol):
    """Reads the copy. Each method raises `DependencyError` if it cannot be reached."""

    async def statuses(self) -> list[StatusEvent]:
        """Of all objectives and groups, by SLO, objective and group."""

    async def open_alerts(self) -> list[AlertEvent]:
        """The last transition of each alert that is open, the oldest alert first."""

    async def transitions(self, limit: int = 50) -> list[AlertEvent]:
        """The newest transitions, newest first."""


def place(event: AlertEvent) -> str:
    """One for an early transition and the on-time one that confirms it."""
    return f"{event.data.alert_id}/{event.data.state}/{event.time}"


def alert_key(event: AlertEvent) -> str:
    """One alert exists per kind, SLO, objective and group."""
    data = event.data
    return f"{data.kind}/{data.slo}/{data.objective}/{data.group}"


def changes(updates: Iterable[Update], told: Mapping[str, Told]) -> Changes:
    """Fold messages in their order; `told` are the transitions that the copy has, by place.

    A repeat changes nothing, nor does an early transition after the one that confirms it.
    """
    known = dict(told)
    result = Changes()
    for update in updates:
        event = update.event
        if not isinstance(event, AlertEvent):
            result.statuses[update.key] = event
            continue
        before = known.get(place(event))
        if before and (before.id == event.id or (event.data.early and not before.early)):
            continue
        known[place(event)] = Told(event.id, event.data.early)
        result.transitions[place(event)] = event
        result.open_alerts[alert_key(event)] = None if event.data.state in _ENDS else event
    return result


def in_order(events: Iterable[StatusEvent]) -> list[StatusEvent]:
    """By SLO, objective and group."""
    return sorted(events, key=lambda e: (e.data.slo, e.data.objective, e.data.group))


def oldest_first(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """By the time the alert was raised."""
    return sorted(events, key=lambda e: (e.data.raised_at, alert_key(e)))


Topic = Literal["status", "warnings", "breaches"]
MIRRORED: tuple[Topic, ...] = ("status", "warnings", "breaches")
