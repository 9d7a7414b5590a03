"""Burn-rate rules of an objective: from alert conditions, or the default tiers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.resources import files

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.yaml_nodes import read_yaml
from servicelevel.domain.rules import Rule
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from servicelevel.errors import DefinitionError
from servicelevel.schemas.alert_tiers import AlertTiers

SHORT_SHARE = 12
"""A short window is a twelfth of the long one, as in the SRE Workbook."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An alert condition that can be evaluated; the short window waits for the pane."""

    long_ms: int
    factor: Fraction
    severity: Severity
    site: Site  # of its spec

    def rule(self, pane_ms: int) -> Rule:
        """Short window: a twelfth of the long one, rounded to whole panes, at least one."""
        panes = max(1, (2 * self.long_ms + SHORT_SHARE * pane_ms) // (2 * SHORT_SHARE * pane_ms))
        return _rule(self.long_ms, panes * pane_ms, self.factor, self.severity)


def default_tiers() -> AlertTiers:
    """The tiers that ship with the package."""
    name = "alert_tiers.yaml"
    resource = files("servicelevel") / "policies" / name
    documents, problems = read_yaml(resource.read_text(encoding="utf-8"))
    if problems or len(documents) != 1:
        raise DefinitionError(f"{name}: cannot be read: {problems}")
    return AlertTiers.model_validate(documents[0].value)


def tier_rules(tiers: AlertTiers, window_ms: int) -> tuple[Rule, ...]:
    """The tiers for an SLO window; those with a longer long window are left out.

    The factor spends the tier's share of the budget in the long window, and is at least 1: at 1
    the budget just lasts.
    """
    return in_order(
        _rule(
            tier.long.ms,
            tier.short.ms,
            max(Fraction(1), Fraction(tier.budget) * window_ms / tier.long.ms),
            Severity(tier.severity),
        )
        for tier in tiers.tiers
        if tier.long.ms <= window_ms
    )


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Loudest first, then by window; of one name, the later carry their factor in it."""
    ordered = sorted(rules, key=lambda r: (-r.severity.rank, r.long_ms, -r.factor))
    named: dict[str, Rule] = {}
    for rule in dict.fromkeys(ordered):
        name = rule.name if rule.name not in named else f"{rule.name}@{float(rule.factor):g}"
        named.setdefault(name, replace(rule, name=name))
    return tuple(named.values())


def can_fire(factor: Fraction, target: Fraction) -> bool:
    """Whether even total failure exceeds the factor: its burn rate is `1 / (1 − T)`."""
    return factor * (1 - target) < 1


def objective_rules(
    conditions: Sequence[Condition] | None,
    tiers: AlertTiers,
    window_ms: int,
    target: Fraction,
    pane_ms: int,
    site: Site,
    report: Report,
) -> tuple[Rule, ...] | None:
    """The rules that can fire, of the conditions or (None) the tiers.

    `site` is that of the target. Default rules that can never fire are left out with a warning;
    a condition that cannot is an error, and None is returned.
    """
    if conditions is None:
        rules = tier_rules(tiers, window_ms)
        if not rules:
            message = "the SLO's window is shorter than all default rules: write alertPolicies"
            report.warn(site, "servicelevel/no-rules", message)
        mute = [rule for rule in rules if not can_fire(rule.factor, target)]
        if mute:
            said = "; ".join(f"{rule.name}: {_arithmetic(rule.factor, target)}" for rule in mute)
            message = f"default rules left out, as even total failure cannot fire them: {said}"
            report.warn(site, "servicelevel/never-fires", message)
        return tuple(rule for rule in rules if rule not in mute)
    never = [c for c in conditions if not can_fire(c.factor, target)]
    for condition in never:
        message = (
            f"can never fire for the target at {site.file}:{site.position().line}: "
            f"{_arithmetic(condition.factor, target)}; "
            f"write a threshold below {_decimal(1 / (1 - target))}"
        )
        threshold = condition.site.at("condition", "threshold")
        report.error(threshold, "servicelevel/never-fires", message)
    return None if never else in_order(c.rule(pane_ms) for c in conditions)


def _arithmetic(factor: Fraction, target: Fraction) -> str:
    product = factor * (1 - target)
    return f"{_decimal(factor)} * (1 - {_decimal(target)}) = {_decimal(product)}, not below 1"


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6g}"


def _rule(long_ms: int, short_ms: int, factor: Fraction, severity: Severity) -> Rule:
    return Rule(f"{spoken(long_ms)}/{spoken(short_ms)}", long_ms, short_ms, factor, severity)


def spoken(duration_ms: int) -> str:
    """A duration in its largest whole unit: 5m, 1h, 3d."""
    for unit, unit_ms in (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS)):
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{unit}"
    return f"{duration_ms}ms"
