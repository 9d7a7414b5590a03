"""What one watch holds a service to: an objective, or the composite of an SLO's objectives."""

from dataclasses import dataclass
from fractions import Fraction

from servicelevel.domain.corrections import stretches
from servicelevel.domain.lens import PERIOD, Lens
from servicelevel.domain.model import Composite, Objective, Slo
from servicelevel.domain.rules import NoData, Rule, leaves
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, duration_text

_LONGER_THAN_NOMINAL_MS = 3 * DAY_MS
"""A quarter has up to 92 days, a month 31, a year 366."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A target with its rules; `alerts` is false for the parts of a composite."""

    slo: Slo
    name: str
    target: Fraction
    rules: tuple[Rule, ...]
    alerts: bool = True
    percentile: Fraction | None = None

    @property
    def window(self) -> int:
        """The whole window as `Windows` tells it."""
        return PERIOD if self.slo.calendar is not None else self.slo.window_ms

    @property
    def lengths_ms(self) -> frozenset[int]:
        """All windows that are looked at, as `Windows` tells them."""
        rules = {w for rule in self.rules for w in (*rule.windows_ms, *silences_ms(rule))}
        return frozenset(rules | {self.window})

    @property
    def reach_ms(self) -> int:
        """How far back the windows reach."""
        calendar = self.slo.window_ms + _LONGER_THAN_NOMINAL_MS if self.slo.calendar else 0
        return max(self.slo.window_ms, calendar, *self.lengths_ms)

    @property
    def forecast_ms(self) -> int | None:
        """The window whose pace forecasts: the longest of the rules that page, else of all."""
        paging = [r for r in self.rules if r.severity is Severity.PAGE] or list(self.rules)
        return max((w for rule in paging for w in rule.windows_ms), default=None)

    def name_of(self, window: int) -> str:
        """A window's name in outputs."""
        return self.slo.window_name if window == PERIOD else duration_text(window)


def silences_ms(rule: Rule) -> tuple[int, ...]:
    """For how long nothing may come, where the rule says so."""
    return tuple(leaf.for_ms for leaf in leaves(rule.condition) if isinstance(leaf, NoData))


def promise_of(slo: Slo, objective: Objective) -> Promise:
    """An objective's own promise."""
    return Promise(
        slo,
        objective.name,
        objective.target,
        objective.rules,
        alerts=slo.composite is None,
        percentile=objective.percentile,
    )


def composite_promise(slo: Slo, composite: Composite) -> Promise:
    """The promise of all objectives together."""
    return Promise(slo, composite.name, composite.target, composite.rules)


def lens_of(slo: Slo, objective: Objective) -> Lens:
    """How the objective looks at its indicator's panes."""
    return Lens(objective.slices, slo.calendar, objective.no_data, stretches(slo.corrections))
