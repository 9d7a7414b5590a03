"""Alert policies of our own kind, as rules."""

from decimal import Decimal
from fractions import Fraction

from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Condition,
    Exhaustion,
    LowTraffic,
    NoData,
    Rule,
    leaves,
)
from servicelevel.domain.time import duration_text
from servicelevel.schemas.rule_specs import LowTrafficSpec, RuleConditionSpec, RuleSpec

Z_BY_CONFIDENCE = {
    Decimal("0.8"): 1.2815515655446004,
    Decimal("0.9"): 1.6448536269514722,
    Decimal("0.95"): 1.959963984540054,
    Decimal("0.99"): 2.5758293035489004,
}
"""Standard deviations to both sides of a normal distribution's mean that hold this share of it."""


def rule_of(spec: RuleSpec) -> Rule:
    """The rule as the domain knows it; without a name of its own it is called by what it says."""
    condition = _condition(spec.when)
    ratio, after = spec.resolve.ratio, spec.resolve.after
    return Rule(
        spec.name or _name(condition),
        condition,
        spec.severity,
        after_ms=spec.alert_after.ms if spec.alert_after is not None else 0,
        clear_ratio=Fraction(ratio) if ratio is not None else Fraction(1),
        clear_after_ms=after.ms if after is not None else 0,
        low_traffic=_low_traffic(spec.low_traffic),
    )


def _condition(spec: RuleConditionSpec) -> Condition:
    if spec.burn_rate is not None:
        factor, weighted = Fraction(spec.burn_rate.above), spec.burn_rate.weighted
        parts = tuple(BurnRate(window.ms, factor, weighted) for window in spec.burn_rate.over)
        return parts[0] if len(parts) == 1 else All(parts)
    if spec.budget_spent is not None:
        return BudgetSpent(Fraction(spec.budget_spent.above))
    if spec.exhaustion is not None:
        z = Z_BY_CONFIDENCE[spec.exhaustion.confidence]
        return Exhaustion(spec.exhaustion.within.ms, spec.exhaustion.over.ms, z)
    if spec.no_data is not None:
        return NoData(spec.no_data.for_.ms)
    parts_of = tuple(_condition(part) for part in (spec.all or spec.any or ()))
    return All(parts_of) if spec.all is not None else AnyOf(parts_of)


def _low_traffic(spec: LowTrafficSpec | None) -> LowTraffic | None:
    if spec is None:
        return None
    return LowTraffic(spec.min_events, spec.min_failures, spec.severity)


def _name(condition: Condition) -> str:
    """`1h/5m` of burn rates alone, else what each part says."""
    each = list(leaves(condition))
    if all(isinstance(leaf, BurnRate) for leaf in each) and not isinstance(condition, AnyOf):
        return "/".join(duration_text(leaf.over_ms) for leaf in each if isinstance(leaf, BurnRate))
    joint = " or " if isinstance(condition, AnyOf) else " and "
    return joint.join(_leaf_name(leaf) for leaf in each)[:63]


def _leaf_name(leaf: Condition) -> str:
    match leaf:
        case BurnRate(over_ms, factor):
            return f"{duration_text(over_ms)} above {float(factor):g}"
        case BudgetSpent(above):
            return f"budget above {float(above * 100):g} %"
        case Exhaustion(within_ms):
            return f"exhausted within {duration_text(within_ms)}"
        case NoData(for_ms):
            return f"no data for {duration_text(for_ms)}"
        case _:
            raise AssertionError("a leaf is no composition")
