"""The copy of statuses and alerts in memory: for tests, and for a process that serves its own."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from servicelevel.application.mirror import (
    RECENT_ALERTS,
    Move,
    Told,
    Update,
    changes,
    in_order,
    oldest_first,
)
from servicelevel.schemas.cloudevents import AlertEvent, StatusEvent

_T = TypeVar("_T")


class MemoryStore:
    """A `MirrorStore` and a `StatusReader`."""

    def __init__(self, capacity: int = RECENT_ALERTS) -> None:
        self._capacity = capacity
        self._positions: dict[str, int] = {}
        self._statuses: dict[str, StatusEvent] = {}
        self._open: dict[str, AlertEvent] = {}
        self._transitions: dict[str, AlertEvent] = {}

    async def positions(self) -> Mapping[str, int]:
        """Up to where each source is in the copy."""
        return dict(self._positions)

    async def apply(self, moves: Mapping[str, Move], updates: Sequence[Update]) -> bool:
        """Change copy and positions at once, or nothing."""
        if any(self._positions.get(source) != move.start for source, move in moves.items()):
            return False
        told = {key: Told(e.id, e.data.early) for key, e in self._transitions.items()}
        new = changes(updates, told)
        _merge(self._statuses, new.statuses)
        _merge(self._open, new.open_alerts)
        self._transitions.update(new.transitions)
        for old in self._newest_first()[self._capacity :]:
            del self._transitions[old]
        self._positions.update({source: move.end for source, move in moves.items()})
        return True

    async def clear(self) -> None:
        """Forget everything."""
        for kept in (self._positions, self._statuses, self._open, self._transitions):
            kept.clear()

    async def statuses(self) -> list[StatusEvent]:
        """Of all objectives and groups."""
        return in_order(self._statuses.values())

    async def open_alerts(self) -> list[AlertEvent]:
        """Of each open alert the last transition."""
        return oldest_first(self._open.values())

    async def transitions(self, limit: int = 50) -> list[AlertEvent]:
        """The newest first."""
        return [self._transitions[key] for key in self._newest_first()[:limit]]

    def _newest_first(self) -> list[str]:
        return sorted(
            self._transitions, key=lambda key: (self._transitions[key].time, key), reverse=True
        )


def _merge(into: dict[str, _T], new: Mapping[str, _T | None]) -> None:
    for key, value in new.items():
        if value is None:
            into.pop(key, None)
        else:
            into[key] = value
