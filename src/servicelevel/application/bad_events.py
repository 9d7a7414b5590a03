"""Where bad events of one pane came from, gathered in bulk by their outcome."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from servicelevel.application.cells import named_dimensions
from servicelevel.application.groups import value_text
from servicelevel.application.service_plan import Outcome
from servicelevel.domain.counts import BadEvidence
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

    def evidence(self, source: str) -> dict[Outcome, BadEvidence]:
        """The evidence of each outcome, as it may go into a cell."""
        operations: dict[Outcome, dict[str | None, int]] = {o: {} for o in self._first}
        statuses: dict[Outcome, dict[int | None, int]] = {o: {} for o in self._first}
        for (outcome, (operation, status)), count in self._counts.items():
            by_operation, by_status = operations[outcome], statuses[outcome]
            by_operation[operation] = by_operation.get(operation, 0) + count
            by_status[status] = by_status.get(status, 0) + count
        return {
            outcome: BadEvidence(
                {source: (first, self._last[outcome])},
                named_dimensions(_texts(operations[outcome], statuses[outcome])),
            )
            for outcome, first in self._first.items()
        }


def _texts(operations: dict[str | None, int], statuses: dict[int | None, int]) -> dict[str, int]:
    operations.pop(None, None)
    statuses.pop(None, None)
    found = {f"status_code={status}": count for status, count in statuses.items()}
    for operation, count in operations.items():
        name = f"operation={value_text(operation)}"  # some may look alike when they are cut
        found[name] = found.get(name, 0) + count
    return found
