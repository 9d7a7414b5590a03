"""Documents of definitions as plain values, valid unless a test says otherwise."""

from typing import Any


def source(**spec: Any) -> dict[str, Any]:
    return {"metricSource": {"type": "servicelevel", "spec": spec or {"event": "request"}}}


def ratio(**metrics: Any) -> dict[str, Any]:
    metrics.setdefault("total", source())
    return {"metadata": {"name": "sli"}, "spec": {"ratioMetric": {"counter": False, **metrics}}}


def threshold(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "sli"}, "spec": {"thresholdMetric": source(**spec)}}


def slo(name: str = "availability", /, **spec: Any) -> dict[str, Any]:
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


def calendar(duration: str, start: str, zone: str = "UTC") -> list[dict[str, Any]]:
    """The `timeWindow` of a calendar."""
    written = {"startTime": start, "timeZone": zone}
    return [{"duration": duration, "isRolling": False, "calendar": written}]


def rolling(duration: str) -> list[dict[str, Any]]:
    """The `timeWindow` of one that rolls."""
    return [{"duration": duration, "isRolling": True}]


def rules(*rules: dict[str, Any], name: str = "ours") -> dict[str, Any]:
    """Our own alert policy; a rule without severity is a page."""
    return {
        "apiVersion": "servicelevel/v1",
        "kind": "AlertPolicy",
        "metadata": {"name": name},
        "spec": {"rules": [{"severity": "page"} | rule for rule in rules]},
    }


def correction(name: str = "maintenance", /, **spec: Any) -> dict[str, Any]:
    """Two hours of a January night that do not count."""
    base: dict[str, Any] = {
        "from": "2026-01-31T22:00:00Z",
        "effect": "remove",
        "by": "operations",
        "reason": "The database moved.",
    }
    if not {"to", "duration"} & spec.keys():
        base["duration"] = "2h"
    if not {"slos", "services"} & spec.keys():
        base["slos"] = ["availability"]
    return {
        "apiVersion": "servicelevel/v1",
        "kind": "Correction",
        "metadata": {"name": name},
        "spec": base | spec,
    }
