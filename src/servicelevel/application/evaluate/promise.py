"""What one watch holds a service to: an objective, or the composite of an SLO's objectives."""

from fractions import Fraction

from servicelevel.domain.corrections import stretches
from servicelevel.domain.lens import PERIOD, Lens
from servicelevel.domain.model import Composite, Objective, Slo
from servicelevel.domain.rules import NoData, Rule, leaves
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, duration_text

_LONGER_THAN_NOMINAL_MS = 3 * DAY_MS
"""A quarter has up to 92 days, a month 31, a year 366."""


class Promise:
    """A target with its rules; `alerts` is false for the parts of a composite.

    `window` and `lengths_ms` are the whole window and all that are looked at, as `Windows` tells
    them, with their `names` in outputs. `reach_ms` is how far back they reach. `forecast_ms` is the
    window whose pace forecasts: the longest of the rules that page, else of all.
    """

    def __init__(
        self,
        slo: Slo,
        name: str,
        target: Fraction,
        rules: tuple[Rule, ...],
        *,
        alerts: bool = True,
        percentile: Fraction | None = None,
    ) -> None:
        self.slo = slo
        self.name = name
        self.target = target
        self.rules = rules
        self.alerts = alerts
        self.percentile = percentile
        self.windows_of = {rule.name: rule.windows_ms for rule in rules}
        self.window = PERIOD if slo.calendar is not None else slo.window_ms
        looked_at = {w for rule in rules for w in (*rule.windows_ms, *silences_ms(rule))}
        self.lengths_ms = tuple(sorted(looked_at | {self.window}))
        calendar_ms = slo.window_ms + _LONGER_THAN_NOMINAL_MS if slo.calendar else 0
        self.reach_ms = max(slo.window_ms, calendar_ms, *self.lengths_ms)
        paging = [rule for rule in rules if rule.severity is Severity.PAGE] or list(rules)
        self.forecast_ms = max((w for rule in paging for w in rule.windows_ms), default=None)
        self.names = {
            w: slo.window_name if w == PERIOD else duration_text(w) for w in self.lengths_ms
        }


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
