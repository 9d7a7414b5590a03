"""Notices that work stands still although something waits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from servicelevel.application.vitals import Work


class Stall(NamedTuple):
    """Work that has not gone on for so long, and how much of it waits."""

    name: str
    waiting: int
    seconds: float


@dataclass(slots=True)
class Watchdog:
    """Ask it now and then. Work that is done, or that nothing waits for, begins anew."""

    limit_seconds: float
    _since: dict[str, tuple[int, float]] = field(default_factory=dict)

    def stalls(self, works: Iterable[Work], now_seconds: float) -> list[Stall]:
        """What stands still for longer than the limit; `now` is of a clock that never goes back."""
        since: dict[str, tuple[int, float]] = {}
        stalls: list[Stall] = []
        for work in works:
            if not work.waiting:
                continue
            done, began = self._since.get(work.name, (work.done, now_seconds))
            if done != work.done:
                began = now_seconds
            since[work.name] = work.done, began
            if now_seconds - began > self.limit_seconds:
                stalls.append(Stall(work.name, work.waiting, now_seconds - began))
        self._since = since
        return stalls
