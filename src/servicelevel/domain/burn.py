"""Burn rates, error budgets and the conditions on them: integers are compared.

They are divided only to be shown. Formulae: Google SRE Workbook, chapter 5 «Alerting on SLOs».
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from servicelevel.domain.forecast import Eta, eta
from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Condition,
    Exhaustion,
    Rule,
    leaves,
)
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Number, Sight
from servicelevel.domain.span import Counts


def burn_rate(counts: Counts, target: Fraction) -> float | None:
    """Error ratio over the budgeted one, `e / (1 − T)`; None without events."""
    good, total = counts
    if not total:
        return None
    kept, of = target.numerator, target.denominator
    return (total - good) * of / (total * (of - kept))


def exceeds(counts: Counts, target: Fraction, factor: Fraction) -> bool:
    """Whether the burn rate is greater than `factor` (equal is not greater; no events: no)."""
    good, total = counts
    kept, of = target.numerator, target.denominator
    return (total - good) * of * factor.denominator > factor.numerator * (of - kept) * total


def exceeds_weighted(
    bad: Number, over_ms: int, events: int, covered_ms: int, target: Fraction, factor: Fraction
) -> bool:
    """As `exceeds`, the burn rate times `events / mean events of such a window`.

    The mean is that of `events` in the time of the objective's window that has passed, `covered`,
    so that a quiet hour weighs less. `bad` are those in the window `over`.
    """
    share = Fraction(over_ms, max(covered_ms, over_ms))
    return bad > factor * (1 - target) * share * events


def holds(
    condition: Condition, sight: Sight, target: Fraction, ratio: Fraction | None = None
) -> bool:
    """Whether a condition holds; burn-rate factors are multiplied by `ratio` (None: by 1)."""
    match condition:
        case All(parts):
            return all(holds(part, sight, target, ratio) for part in parts)
        case AnyOf(parts):
            return any(holds(part, sight, target, ratio) for part in parts)
        case BurnRate(over_ms, factor, weighted):
            counts, factor = sight.of(over_ms), factor if ratio is None else factor * ratio
            if not weighted:
                return exceeds(counts, target, factor)
            bad, events = sight.bad_units(over_ms), sight.told(sight.whole)[1]
            return exceeds_weighted(bad, over_ms, events, sight.covered_ms, target, factor)
        case BudgetSpent(above):
            return _can_be_judged(sight, target) and exceeds(sight.total, target, above)
        case Exhaustion():
            return _is_exhausted_in_time(condition, sight, target)
        case _:
            return condition.for_ms in sight.silent


def _is_exhausted_in_time(condition: Exhaustion, sight: Sight, target: Fraction) -> bool:
    left = _left(condition, sight, target)
    if left is None or left.latest_ms is None or not _can_be_judged(sight, target):
        return False
    if sight.ends_ms is not None and sight.at_ms + left.latest_ms > sight.ends_ms:
        return False  # a new period with a new budget begins before
    return left.latest_ms < condition.within_ms


def turns_ms(condition: Condition, sight: Sight, target: Fraction) -> int | None:
    """When an exhaustion stops to hold though nothing changes: a new period is too near then."""
    found: list[int] = []
    for leaf in leaves(condition):
        if isinstance(leaf, Exhaustion) and sight.ends_ms is not None:
            left = _left(leaf, sight, target)
            if left is not None and left.latest_ms is not None:
                found.append(floor(sight.ends_ms - left.latest_ms) + 1)
    return min((each for each in found if each > sight.at_ms), default=None)


def _left(condition: Exhaustion, sight: Sight, target: Fraction) -> Eta | None:
    pace = (sight.bad_units(condition.over_ms), sight.told(condition.over_ms)[1])
    return eta(sight.total, sight.whole_ms, pace, float(1 - target), condition.z)


def severity_of(rule: Rule, sight: Sight) -> Severity | None:
    """How loud a rule that holds is, given how much traffic there is; None: it is not."""
    low = rule.low_traffic
    if low is None:
        return rule.severity
    window = max(rule.windows_ms, default=sight.whole)
    good, total = sight.told(window)
    if total < low.min_events or total - good < low.min_failures:
        return low.severity
    return rule.severity


def is_breached(sight: Sight, target: Fraction) -> bool:
    """Whether the SLI over the whole window is below its target; at equality it is met.

    A window with fewer than `1 / (1 − target)` events cannot be breached: one failure would
    decide.
    """
    good, total = sight.total
    return _can_be_judged(sight, target) and good * target.denominator < target.numerator * total


def _can_be_judged(sight: Sight, target: Fraction) -> bool:
    return sight.told(sight.whole)[1] * (1 - target) >= 1


@dataclass(frozen=True, slots=True)
class Budget:
    """The error budget of a window in bad events: `remaining_ratio` is below 0 when overspent."""

    allowed: float
    consumed: Number
    remaining_ratio: float | None

    @classmethod
    def of(cls, good: Number, total: int, target: Fraction) -> "Budget":
        """Of good and all events (slices) of the window."""
        kept, of = target.numerator, target.denominator
        allowed, consumed = (of - kept) * total, total - good
        remaining = float((allowed - consumed * of) / allowed) if allowed else None
        return cls(allowed / of, consumed, remaining)
