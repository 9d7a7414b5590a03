"""What an objective counts and how it judges it: from the form of its SLI and its own words."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from servicelevel.adapters.files.digests import indicator_id
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.indicators import (
    Foreign,
    Form,
    Quantile,
    Rate,
    Ratio,
    Value,
    conjunction,
)
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.model import Indicator
from servicelevel.domain.slices import RateSlices, RatioSlices, Slices, TimeSlices
from servicelevel.schemas.openslo.common import Operator
from servicelevel.schemas.openslo.objective import ObjectiveSpec, SloSpec

_SIGNS: dict[Operator, str] = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}


class Classifier(NamedTuple):
    """An indicator, and how its counts are judged: by event, or in slices."""

    indicator: Indicator
    slices: Slices | None
    percentile: Fraction | None


def classifier(
    form: Form, objective: ObjectiveSpec, spec: SloSpec, site: Site, report: Report
) -> Classifier | None:
    """What the objective counts, or None after reporting why it is not evaluated."""
    if isinstance(form, Foreign):
        return None
    source, percentile = form.source, None
    if isinstance(form, Rate | Quantile) and spec.budgeting_method != "Occurrences":
        message = "each interval of this metric is a slice already: write Occurrences"
        report.refuse(site, "unsupported/method", message)
        return None
    match form:
        case Ratio():
            good, slices = form.good, _slices(objective, spec)
        case Value():
            good, slices = _compared(form, objective), _slices(objective, spec)
        case Quantile():
            good, percentile = _compared(form, objective), form.ratio
            slices = _quantile_slices(form, objective)
        case Rate():
            good, slices = "", _rate_slices(form, objective)
    if slices is not None and not _fit(slices, source.pane.ms, spec, site, report):
        return None
    indicator = Indicator(
        id="",
        event=source.event,
        service=source.service or spec.service,
        total=source.where,
        good=good,
        group_by=tuple(source.group_by),
        pane_ms=source.pane.ms,
        slice_ms=gcd(slices.length_ms, SPAN_MS) if slices is not None else 0,
        sketch=form.field if isinstance(form, Quantile) else "",
        max_groups=source.max_groups,
        group_ttl_ms=source.group_ttl.ms if source.group_ttl is not None else None,
    )
    return Classifier(replace(indicator, id=indicator_id(indicator)), slices, percentile)


def _compared(form: Value | Quantile, objective: ObjectiveSpec) -> str:
    op, value = _threshold(objective)
    return conjunction(form.source.where, f"{form.field} {_SIGNS[op]} {_literal(value)}")


def _threshold(objective: ObjectiveSpec) -> tuple[Operator, Decimal]:
    if objective.op is None or objective.value is None:
        raise AssertionError("a threshold has op and value")
    return objective.op, objective.value


def _slices(objective: ObjectiveSpec, spec: SloSpec) -> Slices | None:
    if spec.budgeting_method == "Occurrences":
        return None
    if objective.time_slice_window is None:
        raise AssertionError("a slice has a length")
    length_ms = objective.time_slice_window.ms
    if spec.budgeting_method == "RatioTimeslices":
        return RatioSlices(length_ms)
    if objective.time_slice_target is None:
        raise AssertionError("a time slice has a target")
    return TimeSlices(length_ms, Fraction(objective.time_slice_target))


def _quantile_slices(form: Quantile, objective: ObjectiveSpec) -> Slices:
    op, _ = _threshold(objective)
    if op in ("lte", "lt"):
        return TimeSlices(form.interval_ms, form.ratio)
    return TimeSlices(form.interval_ms, 1 - form.ratio, strict=True)


def _rate_slices(form: Rate, objective: ObjectiveSpec) -> Slices:
    op, value = _threshold(objective)
    return RateSlices(form.interval_ms, op, Fraction(value))


def _fit(slices: Slices, pane_ms: int, spec: SloSpec, site: Site, report: Report) -> bool:
    length_ms = slices.length_ms
    if length_ms > spec.time_window[0].duration.ms:
        message = "a slice is longer than the SLO's window: write less"
        report.error(site, "servicelevel/interval", message)
        return False
    if length_ms % pane_ms:
        message = "a slice is no multiple of the pane: write for example timeSliceWindow: 1m"
        report.refuse(site.at("timeSliceWindow"), "unsupported/slice", message)
        return False
    if SPAN_MS % length_ms and length_ms % SPAN_MS:
        message = "a slice must divide 15 minutes or be a multiple of them: write 1m, 5m or 1h"
        report.refuse(site.at("timeSliceWindow"), "unsupported/slice", message)
        return False
    return True


def _literal(value: Decimal) -> str:
    """A CEL double."""
    text = format(value, "f")
    return text if "." in text else f"{text}.0"
