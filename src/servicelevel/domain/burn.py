"""Burn rates and error budgets, exact: integers are compared, and divided only to be shown.

Formulae: Google SRE Workbook, chapter 5 «Alerting on SLOs».
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from servicelevel.domain.model import Objective
from servicelevel.domain.panes import ZERO, Counts
from servicelevel.domain.rules import Rule


def burn_rate(counts: Counts, target: Fraction) -> float | None:
    """Error ratio over the budgeted one, `e / (1 − T)`; None without events."""
    good, total = counts
    return float(Fraction(total - good, total) / (1 - target)) if total else None


def exceeds(counts: Counts, target: Fraction, factor: Fraction) -> bool:
    """Whether the burn rate is greater than `factor` (equal is not greater; no events: no)."""
    good, total = counts
    threshold = factor * (1 - target)
    return (total - good) * threshold.denominator > threshold.numerator * total


def holds(rule: Rule, target: Fraction, sums: Mapping[int, Counts]) -> bool:
    """Whether the burn rate exceeds the rule's factor over both of its windows."""
    return exceeds(sums.get(rule.short_ms, ZERO), target, rule.factor) and exceeds(
        sums.get(rule.long_ms, ZERO), target, rule.factor
    )


def loudest(objective: Objective, sums: Mapping[int, Counts]) -> Rule | None:
    """The rule of the highest severity that holds; among equals the first listed."""
    holding = [rule for rule in objective.rules if holds(rule, objective.target, sums)]
    return max(holding, key=lambda rule: rule.severity.rank) if holding else None


def is_breached(counts: Counts, target: Fraction) -> bool:
    """Whether the SLI is below its target; at equality it is met.

    A window with fewer than `1 / (1 − target)` events cannot be breached: one failure would
    decide.
    """
    good, total = counts
    if total * (1 - target) < 1:
        return False
    return good * target.denominator < target.numerator * total


@dataclass(frozen=True, slots=True)
class Budget:
    """The error budget of a window in bad events: `remaining_ratio` is below 0 when overspent."""

    allowed: float
    consumed: int
    remaining_ratio: float | None

    @classmethod
    def of(cls, counts: Counts, target: Fraction) -> "Budget":
        good, total = counts
        allowed = (1 - target) * total
        remaining = 1 - Fraction(total - good) / allowed if allowed else None
        return cls(
            float(allowed), total - good, float(remaining) if remaining is not None else None
        )
