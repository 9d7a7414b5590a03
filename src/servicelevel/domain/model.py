"""What is watched: indicators, objectives and rules, as plain immutable values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Literal

EventKind = Literal["request", "incident", "change"]
Operator = Literal["lte", "gte", "lt", "gt"]
ANY_SERVICE = "*"


class Severity(StrEnum):
    """How loud an alert is, from the quietest."""

    INFO = "info"
    TICKET = "ticket"
    PAGE = "page"

    @property
    def rank(self) -> int:
        """Larger is louder; starts at 1, so that 0 can mean «no alert»."""
        return _RANKS[self]


_RANKS = {Severity.INFO: 1, Severity.TICKET: 2, Severity.PAGE: 3}


@dataclass(frozen=True, slots=True)
class Throughput:
    """Makes slices of `interval_ms`; a slice is good where its event count satisfies `op value`."""

    interval_ms: int
    op: Operator
    value: Fraction

    def is_good(self, events: int) -> bool:
        """Whether an interval with so many events keeps the promise."""
        match self.op:
            case "gte":
                return events >= self.value
            case "gt":
                return events > self.value
            case "lte":
                return events <= self.value
            case "lt":
                return events < self.value


@dataclass(frozen=True, slots=True)
class Indicator:
    """How events become good and total counts.

    `id` is a digest of all other fields, so that counters outlive a change of target or
    alerting. `total` and `good` are CEL expressions over the event's fields (empty: every
    event). An event for which an expression cannot be decided (a field is absent) counts for
    neither. With `throughput`, `good` is not used: all matching events are counted, and slices
    are judged when their interval has passed.
    """

    id: str
    event: EventKind
    service: str  # the event's `service`, or ANY_SERVICE
    total: str
    good: str
    group_by: tuple[str, ...] = ()
    pane_ms: int = 10_000
    throughput: Throughput | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A pair of windows and a factor; it holds when the burn rate over both exceeds `factor`."""

    name: str  # "1h/5m"
    long_ms: int
    short_ms: int
    factor: Fraction
    severity: Severity


@dataclass(frozen=True, slots=True)
class Objective:
    """A target for one indicator over the SLO's window.

    `name` is unique within its SLO. `target` is exact (0.999 is 999/1000), 0 ≤ target < 1.
    """

    name: str
    indicator: Indicator
    target: Fraction
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Slo:
    """Objectives of one service over one rolling window of `window_ms`."""

    name: str
    service: str
    window_ms: int
    objectives: tuple[Objective, ...]
    digest: str  # of the definition, named in every output
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All SLOs in force, by name."""

    slos: Mapping[str, Slo]

    @classmethod
    def of(cls, slos: Iterable[Slo]) -> "Catalogue":
        """Collect SLOs; names must be unique (the caller has checked it)."""
        return cls({slo.name: slo for slo in slos})

    def indicators(self) -> dict[str, tuple[Indicator, str]]:
        """Each indicator once, by id, with its home: the service whose counts partition it uses.

        Where two SLOs of different services share an indicator, the home is the first service
        in alphabetical order, whatever the order of the files.
        """
        found: dict[str, tuple[Indicator, str]] = {}
        for slo in sorted(self.slos.values(), key=lambda s: (s.service, s.name)):
            for objective in slo.objectives:
                found.setdefault(objective.indicator.id, (objective.indicator, slo.service))
        return found
