"""Turns an `AlertPolicy` of `servicelevel/v1` into rules."""

from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

from servicelevel.adapters.files.alert_rules import Draft, Place
from servicelevel.adapters.files.findings import Site
from servicelevel.adapters.files.rule_names import MAX_NAME, condition_name
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
)
from servicelevel.domain.severity import Severity
from servicelevel.schemas.extensions import alert_policy as written
from servicelevel.schemas.extensions.conditions import BurnRateLeaf, ConditionTree

_Z_DIGITS = 12
"""So that the last bit of a machine's logarithm is in no digest."""

Placed = tuple[Condition, tuple[Place, ...]]


def policy_drafts(spec: written.RulePolicySpec, site: Site) -> list[Draft]:
    """The rules of a policy, in their order; `site` is that of its spec."""
    return [_draft(rule, i, site.at("rules", i)) for i, rule in enumerate(spec.rules)]


def _draft(rule: written.RuleSpec, index: int, site: Site) -> Draft:
    condition, places = _condition(rule.when, site.at("when"))
    name = rule.name or condition_name(condition)
    resolve = rule.resolve or written.Resolve.model_construct()
    made = Rule(
        name=name if len(name) <= MAX_NAME else f"rule-{index + 1}",
        condition=condition,
        severity=Severity(rule.severity),
        after_ms=rule.alert_after.ms,
        clear_ratio=Fraction(resolve.ratio),
        clear_after_ms=resolve.after.ms,
        low_traffic=_low_traffic(rule.low_traffic),
    )
    return Draft(made, places)


def _condition(tree: ConditionTree, site: Site) -> Placed:
    """The condition, and the places of its leaves from left to right."""
    if tree.burn_rate is not None:
        return _burn_rate(tree.burn_rate, site.at("burnRate"))
    if tree.budget_spent is not None:
        place = site.at("budgetSpent", "above")
        return BudgetSpent(Fraction(tree.budget_spent.above)), (Place(place, place),)
    if tree.exhaustion is not None:
        leaf, place = tree.exhaustion, site.at("exhaustion")
        condition = Exhaustion(leaf.within.ms, leaf.over.ms, _deviations(leaf.confidence))
        return condition, (Place(place, place),)
    if tree.no_data is not None:
        place = site.at("noData", "for")
        return NoData(tree.no_data.for_.ms), (Place(place, place),)
    key = "all" if tree.all is not None else "any"
    parts = [_condition(part, site.at(key, i)) for i, part in enumerate(tree.parts)]
    places = tuple(place for _, found in parts for place in found)
    conditions = tuple(condition for condition, _ in parts)
    return (All(conditions) if key == "all" else AnyOf(conditions)), places


def _burn_rate(leaf: BurnRateLeaf, site: Site) -> Placed:
    """One condition for each window, the longest first."""
    factor, level = Fraction(leaf.above), site.at("above")
    windows = sorted(enumerate(leaf.over), key=lambda each: -each[1].ms)
    burns = tuple(BurnRate(window.ms, factor, leaf.weighted) for _, window in windows)
    places = tuple(Place(site.at("over", i), level) for i, _ in windows)
    return (burns[0] if len(burns) == 1 else All(burns)), places


def _deviations(confidence: Decimal) -> float:
    """How many standard deviations to both sides hold this share of a normal distribution."""
    return round(NormalDist().inv_cdf((1 + float(confidence)) / 2), _Z_DIGITS)


def _low_traffic(low: written.LowTraffic | None) -> LowTraffic | None:
    if low is None:
        return None
    severity = Severity(low.severity) if low.severity is not None else None
    return LowTraffic(low.min_events or 0, low.min_failures or 0, severity)
