"""Burn-rate rules of an objective: from alert conditions, or the default tiers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.resources import files
from typing import NamedTuple

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.yaml_nodes import read_yaml
from servicelevel.domain.ladder import KEPT_MS
from servicelevel.domain.rules import (
    BudgetSpent,
    BurnRate,
    Exhaustion,
    Leaf,
    NoData,
    Rule,
    leaves,
    pair,
)
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, pane_end
from servicelevel.errors import DefinitionError
from servicelevel.schemas.alert_tiers import AlertTiers

SHORT_SHARE = 12
"""A short window is a twelfth of the long one, as in the SRE Workbook."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule that a policy asks for; `make` fits it to the length of the units that are judged.

    `site` is that of the rule, where what is wrong with it is reported.
    """

    make: Callable[[int], Rule]
    site: Site


class Promised(NamedTuple):
    """What rules are for: a target over a window, judged in units; `site` is the target's."""

    window_ms: int
    target: Fraction
    unit_ms: int
    site: Site


def lookback_rule(
    long_ms: int, factor: Fraction, severity: Severity, after_ms: int, unit_ms: int
) -> Rule:
    """Of a burn-rate condition as OpenSLO writes it, with one window.

    The short window is a twelfth of it, rounded to whole units, at least one.
    """
    units = max(1, (2 * long_ms + SHORT_SHARE * unit_ms) // (2 * SHORT_SHARE * unit_ms))
    rule = _rule(long_ms, units * unit_ms, factor, severity)
    return replace(rule, after_ms=after_ms)


def default_tiers() -> AlertTiers:
    """The tiers that ship with the package."""
    name = "alert_tiers.yaml"
    resource = files("servicelevel") / "policies" / name
    documents, problems = read_yaml(resource.read_text(encoding="utf-8"))
    if problems or len(documents) != 1:
        raise DefinitionError(f"{name}: cannot be read: {problems}")
    return AlertTiers.model_validate(documents[0].value)


def tier_rules(tiers: AlertTiers, window_ms: int, unit_ms: int) -> tuple[Rule, ...]:
    """The tiers for an SLO window that is judged in units; those that do not fit are left out.

    A tier fits if its long window is at most the SLO's, and at least a unit; then the short one is
    widened to whole units.
    """
    return in_order(
        _rule(
            tier.long.ms,
            pane_end(tier.short.ms, unit_ms),
            tiers.factor(tier, window_ms),
            Severity(tier.severity),
        )
        for tier in tiers.nearest(window_ms).tiers
        if unit_ms <= tier.long.ms <= window_ms
    )


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Loudest first, then by window; of one name, the later carry their factor in it."""
    ordered = sorted(rules, key=_loudest_first)
    named: dict[str, Rule] = {}
    for rule in dict.fromkeys(ordered):
        name = rule.name
        if name in named and _factor(rule):
            name = f"{rule.name}@{float(_factor(rule)):g}"
        while name in named:
            name += "'"
        named[name] = replace(rule, name=name)
    return tuple(named.values())


def _loudest_first(rule: Rule) -> tuple[int, int, Fraction]:
    return -rule.severity.rank, max(rule.windows_ms, default=0), -_factor(rule)


def _factor(rule: Rule) -> Fraction:
    factors = (leaf.factor for leaf in leaves(rule.condition) if isinstance(leaf, BurnRate))
    return max(factors, default=Fraction(0))


def can_fire(factor: Fraction, target: Fraction) -> bool:
    """Whether even total failure exceeds the factor: its burn rate is `1 / (1 − T)`."""
    return factor * (1 - target) < 1


def objective_rules(
    policies: Sequence[PolicyRule] | None, tiers: AlertTiers, promised: Promised, report: Report
) -> tuple[Rule, ...] | None:
    """The rules that can fire, of the policies or (None) the tiers.

    Default rules that can never fire are left out with a warning; a rule of a policy that cannot is
    an error, and None is returned.
    """
    if policies is None:
        return _default_rules(tiers, promised, report)
    rules = [(policy.make(promised.unit_ms), policy.site) for policy in policies]
    problems = [(site, problem) for rule, site in rules for problem in _problems(rule, promised)]
    for site, (code, message) in problems:
        report.error(site, code, message)
    return None if problems else in_order(rule for rule, _ in rules)


def _default_rules(tiers: AlertTiers, promised: Promised, report: Report) -> tuple[Rule, ...]:
    rules = tier_rules(tiers, promised.window_ms, promised.unit_ms)
    if not rules:
        message = (
            "no default rule is as long as a slice and no longer than the SLO's window: write "
            "alertPolicies"
        )
        report.warn(promised.site, "servicelevel/no-rules", message)
    target = promised.target
    mute = [rule for rule in rules if not can_fire(_factor(rule), target)]
    if mute:
        said = "; ".join(f"{rule.name}: {_arithmetic(_factor(rule), target)}" for rule in mute)
        message = f"default rules left out, as even total failure cannot fire them: {said}"
        report.warn(promised.site, "servicelevel/never-fires", message)
    return tuple(rule for rule in rules if rule not in mute)


def _problems(rule: Rule, promised: Promised) -> Iterator[tuple[str, str]]:
    """Rule and message of all that is wrong with a rule of a policy."""
    target = promised.target
    for leaf in leaves(rule.condition):
        factor = None
        if isinstance(leaf, BurnRate) and not leaf.weighted:
            factor = leaf.factor
        if isinstance(leaf, BudgetSpent):
            factor = leaf.above
        if factor is not None and not can_fire(factor, target):
            place = f"{promised.site.file}:{promised.site.position().line}"
            yield (
                "servicelevel/never-fires",
                f"can never fire for the target at {place}: {_arithmetic(factor, target)}; "
                f"write a threshold below {_decimal(1 / (1 - target))}",
            )
        wrong = _window_problem(leaf, promised)
        if wrong:
            yield "servicelevel/window", wrong


def _window_problem(leaf: Leaf, promised: Promised) -> str:
    """What is wrong with the window that a condition looks at."""
    if isinstance(leaf, BudgetSpent):
        return ""
    most_ms, whose = promised.window_ms, f"the SLO's window of {spoken(promised.window_ms)}"
    looked_at_ms = leaf.for_ms if isinstance(leaf, NoData) else leaf.over_ms
    if isinstance(leaf, NoData) and most_ms < KEPT_MS:
        most_ms, whose = KEPT_MS, f"{spoken(KEPT_MS)}, which counts are kept"
    if looked_at_ms > most_ms:
        return f"{spoken(looked_at_ms)} is longer than {whose}: write {spoken(most_ms)} or less"
    if looked_at_ms < promised.unit_ms:
        unit = spoken(promised.unit_ms)
        return f"{spoken(looked_at_ms)} is shorter than what is judged as one: write {unit} or more"
    if isinstance(leaf, Exhaustion) and leaf.within_ms > promised.window_ms:
        return (
            f"within {spoken(leaf.within_ms)} is longer than {whose}, over which spent budget "
            f"comes back: write {spoken(most_ms)} or less"
        )
    return ""


def _arithmetic(factor: Fraction, target: Fraction) -> str:
    product = factor * (1 - target)
    return f"{_decimal(factor)} * (1 - {_decimal(target)}) = {_decimal(product)}, not below 1"


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6g}"


def _rule(long_ms: int, short_ms: int, factor: Fraction, severity: Severity) -> Rule:
    return pair(f"{spoken(long_ms)}/{spoken(short_ms)}", long_ms, short_ms, factor, severity)


def spoken(duration_ms: int) -> str:
    """A duration in its largest whole unit: 5m, 1h, 3d."""
    for unit, unit_ms in (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS)):
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{unit}"
    return f"{duration_ms}ms"
