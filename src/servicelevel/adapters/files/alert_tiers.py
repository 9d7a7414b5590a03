"""The rules of an SLO without alert policies: published tiers, by the length of its window."""

from fractions import Fraction
from importlib.resources import files

from servicelevel.adapters.files.rule_names import in_order
from servicelevel.adapters.files.yaml_nodes import read_yaml
from servicelevel.domain.rules import Rule, pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import duration_text
from servicelevel.errors import DefinitionError
from servicelevel.schemas.alert_tiers import AlertTiers, Tier, TierSet

NAME = "alert_tiers.yaml"


def default_tiers() -> AlertTiers:
    """The tiers that ship with the package."""
    resource = files("servicelevel") / "policies" / NAME
    documents, problems = read_yaml(resource.read_text(encoding="utf-8"))
    if problems or len(documents) != 1:
        raise DefinitionError(f"{NAME}: cannot be read: {problems}")
    return AlertTiers.model_validate(documents[0].value)


def tier_rules(tiers: AlertTiers, window_ms: int, step_ms: int) -> tuple[Rule, ...]:
    """The tiers of the period that is nearest to an SLO's window, with that period's factors.

    Left out are tiers that come too late to warn, as the window's whole budget is spent once they
    hold, and those with a long window below `step_ms` (a slice). Short windows are whole steps.
    """
    chosen = nearest(tiers, window_ms)
    return in_order(
        _rule(tier, factor, step_ms)
        for tier in chosen.tiers
        if (factor := _factor(tier, chosen)) * tier.long.ms <= window_ms
        and step_ms <= tier.long.ms <= window_ms
    )


def nearest(tiers: AlertTiers, window_ms: int) -> TierSet:
    """The set whose period differs by the smallest ratio; of two, that of the shorter period."""

    def distance(each: TierSet) -> tuple[Fraction, int]:
        ratio = Fraction(each.period.ms, window_ms)
        return max(ratio, 1 / ratio), each.period.ms

    return min(tiers.periods, key=distance)


def _factor(tier: Tier, chosen: TierSet) -> Fraction:
    """The burn rate that spends the tier's share of the period's budget in the long window.

    SRE Workbook, chapter 5: share · period / window.
    """
    return Fraction(tier.budget) * chosen.period.ms / tier.long.ms


def _rule(tier: Tier, factor: Fraction, step_ms: int) -> Rule:
    short_ms = -(-tier.short.ms // step_ms) * step_ms
    name = f"{duration_text(tier.long.ms)}/{duration_text(short_ms)}"
    return pair(name, tier.long.ms, short_ms, factor, Severity(tier.severity))
