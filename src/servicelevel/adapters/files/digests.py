"""Digests that name a classifier and a definition, the same on every machine and version."""

import json
from hashlib import blake2b
from typing import Any

from servicelevel.domain.model import Indicator, Objective, Slo

_BYTES = 8


def indicator_id(indicator: Indicator) -> str:
    """16 hex digits over all fields but the id: what is counted, not what is promised."""
    return _digest(_indicator(indicator))


def slo_digest(slo: Slo) -> str:
    """16 hex digits over what decides outcomes: not titles, labels or the order of YAML keys."""
    objectives = [_objective(objective) for objective in slo.objectives]
    return _digest([slo.name, slo.service, slo.window_ms, objectives])


def _indicator(indicator: Indicator) -> list[Any]:
    made = indicator.throughput
    throughput = [made.interval_ms, made.op, str(made.value)] if made else None
    return [
        indicator.event,
        indicator.service,
        indicator.total,
        indicator.good,
        list(indicator.group_by),
        indicator.pane_ms,
        throughput,
    ]


def _objective(objective: Objective) -> list[Any]:
    rules = [
        [rule.name, rule.long_ms, rule.short_ms, str(rule.factor), rule.severity.value]
        for rule in objective.rules
    ]
    return [objective.name, _indicator(objective.indicator), str(objective.target), rules]


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_BYTES).hexdigest()
