"""Makes an objective: its indicator, and the slices that it is judged by."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import gcd

from servicelevel.adapters.files.digests import indicator_id
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.indicators import conjunction
from servicelevel.adapters.files.source_forms import Own, Percentile, Rate, Ratio
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.model import Indicator, Objective
from servicelevel.domain.slices import Operator, RateSlices, RatioSlices, Slices, TimeSlices
from servicelevel.domain.time import duration_text
from servicelevel.schemas.openslo.objective import ObjectiveSpec, SloSpec

MAX_GROUPS = 1_000
_SIGNS: dict[Operator, str] = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}


@dataclass(frozen=True, slots=True)
class ObjectiveReader:
    """Makes objectives of what was read; their rules come later."""

    report: Report

    def read(
        self, name: str, written: ObjectiveSpec, form: Own, spec: SloSpec, site: Site
    ) -> Objective | None:
        """The objective, or None after reporting why there is none; `site` is the objective's."""
        slices: Slices | None = None
        if isinstance(form, Rate | Percentile):
            if not self._is_by_occurrences(form, spec, site):
                return None
            slices = _intervals(form, written)
        elif spec.budgeting_method != "Occurrences":
            slices = _time_slices(written, spec)
        if slices is not None and not self._fits(slices, form, spec, site):
            return None
        indicator = _indicator(form, written, spec, slices)
        return Objective(
            name=name,
            indicator=replace(indicator, id=indicator_id(indicator)),
            target=target_of(written),
            rules=(),
            slices=slices,
            no_data=form.source.no_data or "ignore",
            percentile=form.share if isinstance(form, Percentile) else None,
        )

    def _is_by_occurrences(self, form: Rate | Percentile, spec: SloSpec, site: Site) -> bool:
        if spec.budgeting_method == "Occurrences":
            return True
        message = (
            f"{form.source.aggregate} is judged by interval already: with {spec.budgeting_method} "
            "write a ratio or a value, or budgetingMethod: Occurrences"
        )
        self.report.refuse(site, "unsupported/method", message)
        return False

    def _fits(self, slices: Slices, form: Own, spec: SloSpec, site: Site) -> bool:
        """Whether slices are whole panes, whole stored spans or parts of one, and in the window."""
        length, window = slices.length_ms, spec.time_window[0].duration
        text = duration_text(length)
        if length > window.ms:
            if isinstance(form, Rate | Percentile):
                message = f"the interval {text} is longer than the SLO's window {window.text}"
                self.report.error(site, "servicelevel/interval", f"{message}: write less")
            else:
                message = f"{text} is longer than the SLO's window {window.text}: write less"
                self.report.refuse(site.at("timeSliceWindow"), "unsupported/slices", message)
            return False
        pane = form.source.pane
        problem = ""
        if length % pane.ms:
            problem = f"is no multiple of the pane {pane.text}: write for example 1m"
        elif SPAN_MS % length and length % SPAN_MS:
            problem = (
                "does not divide 15 minutes and is no multiple of them: write 1m, 3m, 5m, 15m, "
                "30m or 1h"
            )
        if problem:
            message = f"{text} {problem}"
            self.report.refuse(site.at("timeSliceWindow"), "unsupported/slices", message)
        return not problem


def target_of(objective: ObjectiveSpec) -> Fraction:
    """The exact target, of `target` or `targetPercent`."""
    if objective.target is not None:
        return Fraction(objective.target)
    if objective.target_percent is None:
        raise AssertionError("an objective has a target")
    return Fraction(objective.target_percent) / 100


def _threshold(written: ObjectiveSpec) -> tuple[Operator, Decimal]:
    if written.op is None or written.value is None:
        raise AssertionError("a threshold has op and value")
    return written.op, written.value


def _intervals(form: Rate | Percentile, written: ObjectiveSpec) -> Slices:
    """How an interval is judged: by its number of events, or by a percentile of a field.

    The p-quantile is the smallest value that at least the share p of all values does not exceed. It
    is at most v just where at least the share p is at most v, and below v just where at least the
    share p is below v; else it is at least v (above v), so more than 1 − p of them are.
    """
    op, value = _threshold(written)
    if isinstance(form, Rate):
        return RateSlices(form.interval_ms, op, Fraction(value))
    if op in ("lte", "lt"):
        return TimeSlices(form.interval_ms, form.share)
    return TimeSlices(form.interval_ms, 1 - form.share, strict=True)


def _time_slices(written: ObjectiveSpec, spec: SloSpec) -> Slices:
    if written.time_slice_window is None:
        raise AssertionError("slice methods have timeSliceWindow")
    length = written.time_slice_window.ms
    if spec.budgeting_method == "RatioTimeslices":
        return RatioSlices(length)
    if written.time_slice_target is None:
        raise AssertionError("Timeslices has timeSliceTarget")
    return TimeSlices(length, Fraction(written.time_slice_target))


def _indicator(
    form: Own, written: ObjectiveSpec, spec: SloSpec, slices: Slices | None
) -> Indicator:
    """The indicator, still without id."""
    source = form.source
    if isinstance(form, Ratio):
        good = form.good
    elif isinstance(form, Rate):
        good = ""
    else:
        op, value = _threshold(written)
        good = conjunction(source.where, f"{form.field} {_SIGNS[op]} {_literal(value)}")
    return Indicator(
        id="",
        event=source.event,
        service=source.service or spec.service,
        total=source.where,
        good=good,
        group_by=tuple(source.group_by),
        pane_ms=source.pane.ms,
        slice_ms=gcd(slices.length_ms, SPAN_MS) if slices is not None else 0,
        sketch=form.field if isinstance(form, Percentile) else "",
        max_groups=source.max_groups or MAX_GROUPS,
        group_ttl_ms=source.group_ttl.ms if source.group_ttl is not None else None,
    )


def _literal(value: Decimal) -> str:
    """A CEL double."""
    text = format(value, "f")
    return text if "." in text else f"{text}.0"
