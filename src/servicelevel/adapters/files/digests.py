"""Digests that name a classifier and a definition, the same on every machine and version."""

import json
from hashlib import blake2b
from typing import Any

from servicelevel.domain.calendar import Calendar
from servicelevel.domain.corrections import Correction
from servicelevel.domain.model import Composite, Indicator, Objective, Slo
from servicelevel.domain.rules import Condition, LowTraffic, Rule
from servicelevel.domain.slices import RateSlices, Slices, TimeSlices

_BYTES = 8


def indicator_id(indicator: Indicator) -> str:
    """16 hex digits over what is counted, not what is promised of it or kept."""
    return _digest(_indicator(indicator))


def slo_digest(slo: Slo) -> str:
    """16 hex digits over what decides outcomes: not titles, labels or the order of YAML keys."""
    return _digest(
        [
            slo.name,
            slo.service,
            slo.window_ms,
            [_objective(objective) for objective in slo.objectives],
            None if slo.calendar is None else _calendar(slo.calendar),
            None if slo.composite is None else _composite(slo.composite),
            sorted(_correction(correction) for correction in slo.corrections),
        ]
    )


def _indicator(indicator: Indicator) -> list[Any]:
    return [
        indicator.event,
        indicator.service,
        indicator.total,
        indicator.good,
        list(indicator.group_by),
        indicator.pane_ms,
        # Only where there is one: an indicator without keeps the id, and so the counts, it had.
        *([indicator.slice_ms, indicator.sketch] if indicator.slice_ms else [None]),
    ]


def _objective(objective: Objective) -> list[Any]:
    indicator = objective.indicator
    return [
        objective.name,
        [*_indicator(indicator), indicator.max_groups, indicator.group_ttl_ms],
        str(objective.target),
        [_rule(rule) for rule in objective.rules],
        None if objective.slices is None else _slices(objective.slices),
        objective.no_data,
    ]


def _slices(slices: Slices) -> list[Any]:
    match slices:
        case TimeSlices(length_ms, target, strict):
            return ["time", length_ms, str(target), strict]
        case RateSlices(length_ms, op, value):
            return ["rate", length_ms, op, str(value)]
        case _:
            return ["ratio", slices.length_ms]


def _rule(rule: Rule) -> list[Any]:
    low = rule.low_traffic
    return [
        rule.name,
        _condition(rule.condition),
        rule.severity.value,
        rule.after_ms,
        str(rule.clear_ratio),
        rule.clear_after_ms,
        None if low is None else _low_traffic(low),
    ]


def _condition(condition: Condition) -> str:
    """The values as Python shows them, which are all plain and exact."""
    return repr(condition)


def _low_traffic(low: LowTraffic) -> list[Any]:
    return [low.min_events, low.min_failures, None if low.severity is None else low.severity.value]


def _calendar(calendar: Calendar) -> list[Any]:
    return [calendar.start.isoformat(), calendar.zone_name, calendar.count, calendar.unit]


def _composite(composite: Composite) -> list[Any]:
    weights = [str(weight) for weight in composite.weights]
    return [weights, str(composite.target), [_rule(rule) for rule in composite.rules]]


def _correction(correction: Correction) -> list[Any]:
    return [correction.from_ms, correction.to_ms, correction.effect]


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_BYTES).hexdigest()
