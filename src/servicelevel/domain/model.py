"""What is watched: indicators, objectives and SLOs, as plain immutable values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from servicelevel.domain.calendar import Calendar
from servicelevel.domain.corrections import Correction
from servicelevel.domain.rules import Rule
from servicelevel.domain.slices import Slices
from servicelevel.domain.time import duration_text

EventKind = Literal["request", "incident", "change"]
NoDataPolicy = Literal["ignore", "good", "bad"]
ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Indicator:
    """How events become good and total counts.

    `id` is a digest of the fields that say what is counted, so that counters outlive a change of
    target or alerting. `total` and `good` are CEL expressions over the event's fields (empty: every
    event). An event for which an expression cannot be decided (a field is absent) counts for
    neither. `sketch` names a numeric field of which percentiles are to be told.
    """

    id: str
    event: EventKind
    service: str  # the event's `service`, or ANY_SERVICE
    total: str
    good: str
    group_by: tuple[str, ...] = ()
    pane_ms: int = 10_000
    slice_ms: int = 0
    """Panes are never merged beyond this length, so that slices stay exact (0: no slices)."""
    sketch: str = ""
    max_groups: int = 1_000
    """Groups told apart; the events of all others are in `__other__`. Not part of `id`."""
    group_ttl_ms: int | None = None
    """A group without events for so long is forgotten (None: when no window reaches its events).

    Not part of `id`.
    """


@dataclass(frozen=True, slots=True)
class Objective:
    """A target for one indicator over the SLO's window.

    `name` is unique within its SLO. `target` is exact (0.999 is 999/1000), 0 ≤ target < 1. With
    `slices` it is judged by slice, without by event. `no_data` says what a window (slice, where
    there are slices) without events counts as.
    """

    name: str
    indicator: Indicator
    target: Fraction
    rules: tuple[Rule, ...]
    slices: Slices | None = None
    no_data: NoDataPolicy = "ignore"
    percentile: Fraction | None = None
    """The percentile that is promised (0.99), where the objective is one."""


@dataclass(frozen=True, slots=True)
class Composite:
    """The mean of all objectives' SLIs, by `weights` (one each, above 0), held to `target`.

    Its budget is the mean of their budgets by the same weights. Only the composite alerts.
    """

    name: str
    weights: tuple[Fraction, ...]
    target: Fraction
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Slo:
    """Objectives of one service over one window: rolling, or with `calendar` the period.

    `window_ms` is the length of the window, of a calendar period nominally (a month is 30 days).
    """

    name: str
    service: str
    window_ms: int
    objectives: tuple[Objective, ...]
    digest: str  # of the definition, named in every output
    display_name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    calendar: Calendar | None = None
    composite: Composite | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def window_name(self) -> str:
        """As outputs name the window: "30d", of a calendar "1M" (30 days are nominal)."""
        if self.calendar is not None:
            return f"{self.calendar.count}{self.calendar.unit}"
        return duration_text(self.window_ms)


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

        Where SLOs of different services share an indicator, directly or through a composite, the
        home of all they have is the first service in alphabetical order, whatever the order of the
        files.
        """
        ordered = sorted(self.slos.values(), key=lambda s: (s.service, s.name))
        found: dict[str, tuple[Indicator, str]] = {}
        for slo in ordered:
            for objective in slo.objectives:
                found.setdefault(objective.indicator.id, (objective.indicator, slo.service))
        together = [slo for slo in ordered if slo.composite is not None]
        moved = True
        while moved:
            moved = False
            for slo in together:
                ids = [objective.indicator.id for objective in slo.objectives]
                home = min(found[each][1] for each in ids)
                moved |= any(found[each][1] != home for each in ids)
                found.update({each: (found[each][0], home) for each in ids})
        return found
