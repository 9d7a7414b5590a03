"""What the events of one service count for, decided once for all that look the same."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import gcd

from servicelevel.application.cel import Predicate, compile_predicate
from servicelevel.application.groups import group_field, group_reader, number_reader
from servicelevel.application.signature import Column, Sight, Signature, columns, signatures
from servicelevel.domain.model import ANY_SERVICE, EventKind, Indicator
from servicelevel.schemas.events import Event


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


def compile_indicator(indicator: Indicator, partition: int) -> CompiledIndicator:
    """Compile an indicator's expressions; CelError if that cannot be."""
    return CompiledIndicator(
        indicator,
        compile_predicate(indicator.total, event=indicator.event),
        compile_predicate(indicator.good, event=indicator.event),
        group_reader(indicator.group_by, indicator.event),
        partition,
        number_reader(indicator.sketch, indicator.event) if indicator.sketch else None,
    )


def sight_of(compiled: Iterable[CompiledIndicator], kind: EventKind) -> Sight:
    """All that these indicators look at in events of a kind."""
    of = list(compiled)
    names = {name for each in of for name in each.indicator.group_by}
    predicates = [p for each in of for p in (each.total, each.good)]
    return Sight.of(predicates, (group_field(name, kind) for name in names))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One indicator and group. As `Outcome`, told from others by identity, which is fast."""

    compiled: CompiledIndicator
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What events of one service and look count for. One object serves many events.

    `is_known` is whether any indicator looks at the service.
    """

    service: str
    good: tuple[Series, ...]
    bad: tuple[Series, ...]
    is_known: bool = True

    @property
    def sketched(self) -> tuple[Series, ...]:
        """Those series of which values are told, too."""
        return tuple(s for s in (*self.good, *self.bad) if s.compiled.value is not None)


class Looks:
    """Outcomes by what events look like: each look is judged once, and found again by its row.

    With more than `max_remembered` of them all are forgotten; `forget` is called then.
    """

    def __init__(
        self,
        found: Sequence[Column],
        judge: Callable[[Event], Outcome],
        forget: Callable[[], None],
        max_remembered: int,
    ) -> None:
        self._columns = found
        self._judge = judge
        self._forget = forget
        self._max_remembered = max_remembered
        self._remembered: dict[Signature, Outcome] = {}

    def outcomes(self, events: Sequence[Event]) -> list[Outcome]:
        """The outcome of each event."""
        try:
            return list(map(self._remembered.__getitem__, signatures(self._columns, events)))
        except KeyError:
            rows = signatures(self._columns, events)
            return [self._learn(row, event) for row, event in zip(rows, events, strict=True)]

    def _learn(self, row: Signature, event: Event) -> Outcome:
        outcome = self._remembered.get(row)
        if outcome is None:
            if len(self._remembered) >= self._max_remembered:
                self._remembered.clear()
                self._forget()
            outcome = self._remembered[row] = self._judge(event)
        return outcome


class ServicePlan:
    """The indicators that the events of one service, or of any other, are judged by.

    `pane_ms` is the longest length that divides all their panes.
    """

    def __init__(
        self,
        service: str,
        kind: EventKind,
        indicators: Sequence[CompiledIndicator],
        max_remembered: int,
    ) -> None:
        self.indicators = indicators
        self.pane_ms = gcd(*(each.indicator.pane_ms for each in indicators))
        self.sight = sight_of(indicators, kind)
        seen = columns(kind, self.sight)
        if service == ANY_SERVICE:
            seen += columns(kind, Sight(frozenset({"service"}), {}, {}))
        self._looks = Looks(seen, self.judge, self.forget, max_remembered)
        self._outcomes: dict[tuple[object, ...], Outcome] = {}
        self._series: dict[tuple[CompiledIndicator, str], Series] = {}

    def outcomes(self, events: Sequence[Event]) -> list[Outcome]:
        """The outcome of each event, all of this plan's service."""
        return self._looks.outcomes(events)

    def judge(self, event: Event) -> Outcome:
        """Judge one event by every indicator."""
        good: list[Series] = []
        bad: list[Series] = []
        for each in self.indicators:
            answer = each.judge(event)
            if answer is not None:
                key = (each, each.group(event))
                series = self._series.get(key) or self._series.setdefault(key, Series(*key))
                (good if answer else bad).append(series)
        outcome = Outcome(event.service, tuple(good), tuple(bad))
        key_of_all = (outcome.service, outcome.good, outcome.bad)
        return self._outcomes.setdefault(key_of_all, outcome)

    def forget(self) -> None:
        """What is forgotten is judged anew; equal outcomes are then no longer one object."""
        self._outcomes.clear()
        self._series.clear()
