"""Where bad events of one pane came from, gathered in bulk by their outcome."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from servicelevel.application.cells import GrowingEvidence
from servicelevel.application.groups import value_text
from servicelevel.application.service_plan import Outcome
from servicelevel.schemas.events import Event

_DIMENSIONS = attrgetter("operation", "status_code")
_Dimensions = tuple[str | None, int | None]


class BadEvents:
    """Of one source and pane. Its length is how much is told apart."""

    def __init__(self) -> None:
        self._first: dict[Outcome, int] = {}
        self._last: dict[Outcome, int] = {}
        self._counts: Counter[tuple[Outcome, _Dimensions]] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def add(
        self, outcomes: Sequence[Outcome], events: Sequence[Event], offsets: Sequence[int]
    ) -> None:
        """Add events in the order of their offsets, after all that were added before."""
        self._counts.update(zip(outcomes, map(_DIMENSIONS, events), strict=True))
        self._last.update(zip(outcomes, offsets, strict=True))
        for outcome in self._last.keys() - self._first.keys():
            self._first[outcome] = offsets[outcomes.index(outcome)]

    def evidence(self, source: str) -> dict[Outcome, GrowingEvidence]:
        """The evidence of each outcome."""
        found = {
            outcome: GrowingEvidence({source: (first, self._last[outcome])})
            for outcome, first in self._first.items()
        }
        for (outcome, (operation, status)), count in self._counts.items():
            held = found[outcome].dimensions
            if operation is not None:
                name = f"operation={value_text(operation)}"
                held[name] = held.get(name, 0) + count
            if status is not None:
                name = f"status_code={status}"
                held[name] = held.get(name, 0) + count
        return found
