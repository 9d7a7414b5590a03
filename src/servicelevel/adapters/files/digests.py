"""Digests that name a classifier and a definition, the same on every machine and version."""

import json
from fractions import Fraction
from hashlib import blake2b
from typing import Any

from servicelevel.domain.calendar import Calendar
from servicelevel.domain.corrections import Correction
from servicelevel.domain.model import Composite, Indicator, Objective, Slo
from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Condition,
    Exhaustion,
    NoData,
    Rule,
)
from servicelevel.domain.slices import RateSlices, RatioSlices, Slices, TimeSlices

_BYTES = 8


def indicator_id(indicator: Indicator) -> str:
    """16 hex digits over what is counted, and how finely; not what is promised or kept."""
    return _digest(_indicator(indicator))


def slo_digest(slo: Slo) -> str:
    """16 hex digits over what decides outcomes: not titles, reasons or the order of YAML keys."""
    return _digest(
        [
            slo.name,
            slo.service,
            slo.window_ms,
            _calendar(slo.calendar),
            [_objective(objective) for objective in slo.objectives],
            _composite(slo.composite),
            [_correction(correction) for correction in slo.corrections],
        ]
    )


def _indicator(indicator: Indicator) -> list[Any]:
    # The last place is empty where there are no slices, so that such ids have stayed as they were.
    sliced = [indicator.slice_ms, indicator.sketch]
    return [
        indicator.event,
        indicator.service,
        indicator.total,
        indicator.good,
        list(indicator.group_by),
        indicator.pane_ms,
        sliced if any(sliced) else None,
    ]


def _objective(objective: Objective) -> list[Any]:
    indicator = objective.indicator
    return [
        objective.name,
        [*_indicator(indicator), indicator.max_groups, indicator.group_ttl_ms],
        str(objective.target),
        [_rule(rule) for rule in objective.rules],
        _slices(objective.slices),
        objective.no_data,
        _text(objective.percentile),
    ]


def _slices(slices: Slices | None) -> list[Any] | None:
    match slices:
        case TimeSlices(length, target, strict):
            return ["time", length, str(target), strict]
        case RatioSlices(length):
            return ["ratio", length]
        case RateSlices(length, op, value):
            return ["rate", length, op, str(value)]
        case None:
            return None


def _calendar(calendar: Calendar | None) -> list[Any] | None:
    if calendar is None:
        return None
    return [calendar.start.isoformat(), calendar.zone_name, calendar.count, calendar.unit]


def _composite(composite: Composite | None) -> list[Any] | None:
    if composite is None:
        return None
    weights = [str(weight) for weight in composite.weights]
    rules = [_rule(rule) for rule in composite.rules]
    return [composite.name, weights, str(composite.target), rules]


def _correction(correction: Correction) -> list[Any]:
    return [correction.from_ms, correction.to_ms, correction.effect]


def _rule(rule: Rule) -> list[Any]:
    low = rule.low_traffic
    return [
        rule.name,
        _condition(rule.condition),
        rule.severity.value,
        rule.after_ms,
        str(rule.clear_ratio),
        rule.clear_after_ms,
        None if low is None else [low.min_events, low.min_failures, low.severity],
    ]


def _condition(condition: Condition) -> list[Any]:
    match condition:
        case BurnRate(over, factor, weighted):
            return ["burn", over, str(factor), weighted]
        case BudgetSpent(above):
            return ["spent", str(above)]
        case Exhaustion(within, over, z):
            return ["exhaustion", within, over, repr(z)]
        case NoData(for_ms):
            return ["no-data", for_ms]
        case All(parts):
            return ["all", *map(_condition, parts)]
        case AnyOf(parts):
            return ["any", *map(_condition, parts)]


def _text(number: Fraction | None) -> str | None:
    return None if number is None else str(number)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_BYTES).hexdigest()
