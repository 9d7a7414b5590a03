"""Which indicators an event counts for, decided once for all events that look the same."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import gcd

from servicelevel.application.cel import Predicate, compile_predicate
from servicelevel.application.groups import group_field, group_reader, number_reader
from servicelevel.application.signature import Signature, columns, signatures
from servicelevel.domain.model import ANY_SERVICE, Catalogue, EventKind, Indicator
from servicelevel.domain.partitioning import counts_partition
from servicelevel.schemas.events import Event

MAX_REMEMBERED = 200_000  # signatures whose outcomes are kept for an event kind, over all services
_KINDS: tuple[EventKind, ...] = ("request", "incident", "change")


@dataclass(frozen=True, slots=True, eq=False)
class CompiledIndicator:
    """An indicator with its predicates compiled, and the partition of `counts` it lives in."""

    indicator: Indicator
    total: Predicate
    good: Predicate
    group: Callable[[Event], str]
    partition: int
    value: Callable[[Event], float] | None = None
    """Of the indicator's sketch, where it has one."""

    def judge(self, event: Event) -> bool | None:
        """True: good, False: bad, None: the event does not count, or cannot be decided."""
        if self.total(event) is not True:
            return None
        return self.good(event)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One indicator and group. As `Outcome`, told from others by identity, which is fast."""

    compiled: CompiledIndicator
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What events of one look count for. One object serves many events."""

    good: tuple[Series, ...]
    bad: tuple[Series, ...]

    @property
    def sketched(self) -> tuple[Series, ...]:
        """Those series of which values are told, too."""
        return tuple(s for s in (*self.good, *self.bad) if s.compiled.value is not None)


class ServicePlan:
    """The indicators that the events of one service, or of any other, are judged by.

    `pane_ms` is the longest length that divides all their panes.
    """

    def __init__(
        self, kind: EventKind, indicators: Sequence[CompiledIndicator], max_remembered: int
    ) -> None:
        self.indicators = indicators
        self.has_sketches = any(each.value is not None for each in indicators)
        self.pane_ms = gcd(*(each.indicator.pane_ms for each in indicators))
        predicates = [p for each in indicators for p in (each.total, each.good)]
        names = {name for each in indicators for name in each.indicator.group_by}
        self._columns = columns(kind, predicates, [group_field(name, kind) for name in names])
        self._max_remembered = max_remembered
        self._remembered: dict[Signature, Outcome] = {}
        self._outcomes: dict[tuple[object, ...], Outcome] = {}
        self._series: dict[tuple[CompiledIndicator, str], Series] = {}

    def outcomes(self, events: Sequence[Event]) -> list[Outcome]:
        """The outcome of each event, all of this plan's service."""
        rows = signatures(self._columns, events)
        try:
            return list(map(self._remembered.__getitem__, rows))
        except KeyError:
            return self._learn(rows, events)

    def _learn(self, rows: Sequence[Signature], events: Sequence[Event]) -> list[Outcome]:
        found = []
        for row, event in zip(rows, events, strict=True):
            outcome = self._remembered.get(row)
            if outcome is None:
                if len(self._remembered) >= self._max_remembered:
                    self._forget()
                outcome = self._remembered[row] = self._judge(event)
            found.append(outcome)
        return found

    def _forget(self) -> None:
        """What is forgotten is judged anew; equal outcomes are then no longer one object."""
        self._remembered.clear()
        self._outcomes.clear()
        self._series.clear()

    def _judge(self, event: Event) -> Outcome:
        """Judge one event by every indicator."""
        good: list[Series] = []
        bad: list[Series] = []
        for each in self.indicators:
            answer = each.judge(event)
            if answer is not None:
                key = (each, each.group(event))
                series = self._series.get(key) or self._series.setdefault(key, Series(*key))
                (good if answer else bad).append(series)
        outcome = Outcome(tuple(good), tuple(bad))
        return self._outcomes.setdefault((outcome.good, outcome.bad), outcome)


class Plan:
    """All indicators of a catalogue, compiled, by event kind and service.

    Who counts by it looks at it anew with each batch of events, so a change takes effect there.
    Raises CelError if an expression of the catalogue cannot be compiled.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        counts_partitions: int,
        *,
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        compiled = [
            _compile(indicator, counts_partition(home, counts_partitions))
            for indicator, home in catalogue.indicators().values()
        ]
        self._by_kind = {
            kind: _by_service(
                kind, [c for c in compiled if c.indicator.event == kind], max_remembered
            )
            for kind in _KINDS
        }

    def services(self, kind: EventKind) -> dict[str, ServicePlan]:
        """The plan of each service that an indicator names, and under "*" that of all others.

        Without indicators of any service there is no "*".
        """
        return self._by_kind[kind]

    def change_to(self, other: "Plan") -> None:
        """Be as the other, which is not used any more."""
        self._by_kind = other._by_kind


def _compile(indicator: Indicator, partition: int) -> CompiledIndicator:
    return CompiledIndicator(
        indicator,
        compile_predicate(indicator.total, event=indicator.event),
        compile_predicate(indicator.good, event=indicator.event),
        group_reader(indicator.group_by, indicator.event),
        partition,
        number_reader(indicator.sketch, indicator.event) if indicator.sketch else None,
    )


def _by_service(
    kind: EventKind, compiled: Iterable[CompiledIndicator], max_remembered: int
) -> dict[str, ServicePlan]:
    found: dict[str, list[CompiledIndicator]] = {}
    for each in compiled:
        found.setdefault(each.indicator.service, []).append(each)
    of_any = found.get(ANY_SERVICE, [])
    share = max(1, max_remembered // max(1, len(found)))
    return {
        service: ServicePlan(kind, own if service == ANY_SERVICE else [*own, *of_any], share)
        for service, own in found.items()
    }
