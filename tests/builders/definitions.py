"""OpenSLO documents as plain values, to be loaded by tests."""

from fractions import Fraction
from typing import Any

from servicelevel.adapters.files.definitions import Finding, Loaded
from servicelevel.domain.model import Slo
from servicelevel.domain.rules import BurnRate, Rule, leaves


def source(**spec: Any) -> dict[str, Any]:
    """A metric of our own source; `{event: request}` without a spec."""
    return {"metricSource": {"type": "servicelevel", "spec": spec or {"event": "request"}}}


def ratio(**metrics: Any) -> dict[str, Any]:
    """An inline SLI: `good` or `bad`, and `total`, by default all requests."""
    metrics.setdefault("total", source())
    return {"metadata": {"name": "sli"}, "spec": {"ratioMetric": {"counter": False, **metrics}}}


def threshold(**spec: Any) -> dict[str, Any]:
    """An inline SLI on a threshold metric."""
    return {"metadata": {"name": "sli"}, "spec": {"thresholdMetric": source(**spec)}}


def slo(name: str = "availability", /, **spec: Any) -> dict[str, Any]:
    """A valid SLO; `spec` replaces its fields."""
    base: dict[str, Any] = {
        "service": "checkout",
        "budgetingMethod": "Occurrences",
        "timeWindow": [{"duration": "30d", "isRolling": True}],
        "objectives": [{"target": 0.999}],
    }
    if not {"indicator", "indicatorRef"} & spec.keys():
        base["indicator"] = ratio(good=source(where="status_code < 500"))
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name},
        "spec": base | spec,
    }


def policy(**condition: Any) -> dict[str, Any]:
    """An inline OpenSLO policy; `policy` adds to its spec, all else to its condition."""
    severity = condition.pop("severity", "page")
    alert_after = condition.pop("policy", {})
    burn = {"kind": "burnrate", "op": "gt", "threshold": 14.4, "lookbackWindow": "1h"} | condition
    spec = {"severity": severity, "condition": burn}
    entry = {"kind": "AlertCondition", "metadata": {"name": "burn"}, "spec": spec}
    inline = {"kind": "AlertNotificationTarget", "metadata": {"name": "t"}}
    return {
        "kind": "AlertPolicy",
        "metadata": {"name": "policy"},
        "spec": {
            "conditions": [entry],
            "notificationTargets": [inline | {"spec": {"target": "mail"}}],
        }
        | alert_after,
    }


def only(loaded: Loaded) -> Slo:
    """The one SLO of definitions in which nothing is wrong."""
    assert loaded.findings == []
    assert loaded.unsupported == []
    (found,) = loaded.catalogue.slos.values()
    return found


def rules_of(findings: list[Finding]) -> list[str]:
    """The rules that were broken, in order."""
    return [finding.rule for finding in findings]


def rules_policy(*rules: dict[str, Any], name: str = "policy") -> dict[str, Any]:
    """An alert policy of our own kind."""
    return {
        "apiVersion": "servicelevel/v1",
        "kind": "AlertPolicy",
        "metadata": {"name": name},
        "spec": {"rules": list(rules)},
    }


def burn(over: str | list[str] = "1h", above: float = 14.4, **more: Any) -> dict[str, Any]:
    """A condition on burn rates."""
    return {"burnRate": {"over": over, "above": above, **more}}


def correction(name: str = "maintenance", **spec: Any) -> dict[str, Any]:
    """A correction for the service checkout, on quarters of an hour."""
    base = {
        "services": ["checkout"],
        "from": "2026-01-10T22:00:00Z",
        "to": "2026-01-11T02:00:00Z",
        "effect": "remove",
        "by": "ada",
        "reason": "announced maintenance",
    }
    return {
        "apiVersion": "servicelevel/v1",
        "kind": "Correction",
        "metadata": {"name": name},
        "spec": {k: v for k, v in (base | spec).items() if v is not None},
    }


def pair_of(rule: Rule) -> tuple[str, list[int], Fraction]:
    """Name, windows and the one factor of a rule of burn rates."""
    each = [leaf for leaf in leaves(rule.condition) if isinstance(leaf, BurnRate)]
    (factor,) = {leaf.factor for leaf in each}
    return rule.name, [leaf.over_ms for leaf in each], factor
