"""Alerts of what is watched no more: they are resolved, told so, and then forgotten."""

from collections.abc import Iterable
from dataclasses import replace

from servicelevel.application.evaluate.kept import Kept, Told
from servicelevel.application.evaluate.storing import remove_alert, store_alert
from servicelevel.application.evaluate.watch import Watch
from servicelevel.application.ports import StateStore
from servicelevel.domain.outputs import StatusRemoved


class Departures:
    """Keeps what leaves until it is told."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []

    def add(self, each: Iterable[Kept], at_ms: int, offset: int) -> list[Told]:
        """Resolve what is open, as of `at_ms`; what is to be told of it."""
        told: list[Told] = []
        for kept in each:
            self._kept.append(kept)
            told += self._leave(kept, at_ms, offset)  # nothing, where that is stored already
        return told

    def _leave(self, kept: Kept, at_ms: int, offset: int) -> list[Told]:
        last = kept.last
        told: list[Told] = [
            replace(last, id=step.id, state=step.state, at_ms=at_ms, early=step.early)
            for step in kept.alert.leave(at_ms)
            if last is not None
        ]
        if kept.service is not None:
            identity = kept.alert.identity
            names = (identity.slo, identity.objective, kept.service, identity.group)
            told.append(StatusRemoved(*names, at_ms))
        kept.service = None
        kept.holdings.clear()
        for each in told:
            kept.tell(offset, each)
        return told

    def give_back(self, watch: Watch) -> None:
        """The same is watched again: it goes on with what is still to be told."""
        for kept in self._kept:
            if kept.alert.identity == watch.warning.alert.identity:
                watch.warning = kept
            elif kept.alert.identity == watch.breach.alert.identity:
                watch.breach = kept
        self._kept = [k for k in self._kept if k is not watch.warning and k is not watch.breach]

    def pending(self) -> list[tuple[int, Told]]:
        """What may not be told yet, by the offset that decided it."""
        return [each for kept in self._kept for each in kept.pending]

    def store(self, state: StateStore, offset: int, told: int) -> None:
        """Write what changed, and delete what is told."""
        for kept in self._kept:
            if kept.changed:
                store_alert(state, kept, offset, told)
            elif all(at <= told for at, _ in kept.pending):
                remove_alert(state, kept)
        self._kept = [k for k in self._kept if any(at > told for at, _ in k.pending)]
