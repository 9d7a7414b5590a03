"""Reads an SLI: which events it counts, and which of them are good."""

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.source_forms import (
    Foreign,
    Form,
    Own,
    Percentile,
    Rate,
    Ratio,
    Value,
)
from servicelevel.adapters.files.sources import SourceReader
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.schemas.openslo.indicator import IndicatorSpec, Metric, RatioMetric
from servicelevel.schemas.openslo.source import ServicelevelSource

_ALIKE = (
    ("event", "event"),
    ("service", "service"),
    ("group_by", "groupBy"),
    ("pane", "pane"),
    ("max_groups", "maxGroups"),
    ("group_ttl", "groupTtl"),
    ("no_data", "noData"),
)
"""Fields, and their YAML names, that both parts of a ratio have alike."""


class IndicatorReader:
    """Reads each SLI once, however many SLOs use it, so that each finding comes once."""

    def __init__(self, sources: SourceReader, report: Report) -> None:
        self._sources = sources
        self._report = report
        self._known: dict[int, tuple[IndicatorSpec, Form]] = {}

    def read(self, spec: IndicatorSpec, site: Site) -> Form:
        """What the SLI is; `site` is that of its `spec`."""
        known = self._known.get(id(spec))  # the spec is kept, so its id stays its own
        if known is None:
            known = self._known[id(spec)] = (spec, self._read(spec, site))
        return known[1]

    def _read(self, spec: IndicatorSpec, site: Site) -> Form:
        if spec.threshold_metric is not None:
            return self._threshold(spec.threshold_metric, site.at("thresholdMetric"))
        ratio = spec.ratio_metric
        if ratio is None:
            raise AssertionError("an SLI has one of its forms")
        return self._ratio(ratio, site.at("ratioMetric"))

    def _ratio(self, ratio: RatioMetric, site: Site) -> Form:
        if ratio.raw is not None:
            self._sources.read(ratio.raw.metric_source, site.at("raw", "metricSource"))
            reason = (
                "a raw ratio is not evaluated: events are counted, and a ratio made elsewhere "
                "holds no counts: write good or bad, and total"
            )
            return Foreign(reason, is_threshold=False)
        is_good = ratio.good is not None
        role = "good" if is_good else "bad"
        counted = ratio.good or ratio.bad
        if counted is None or ratio.total is None:
            raise AssertionError("a ratio has its parts")
        part = self._metric(counted, site.at(role, "metricSource"))
        total = self._metric(ratio.total, site.at("total", "metricSource"))
        if isinstance(part, Foreign):
            return part
        if isinstance(total, Foreign):
            return total
        place = site.at(role, "metricSource", "spec")
        if not self._agree(part, total, place, role):
            return Foreign(None, is_threshold=False)
        good = conjunction(total.where, part.where, negate=not is_good)
        if not self._sources.joins(good, total.event, place):
            return Foreign(None, is_threshold=False)
        return Ratio(total, good)

    def _metric(self, metric: Metric, site: Site) -> ServicelevelSource | Foreign:
        """The source of a part of a ratio, which has no use for the words of thresholds."""
        source = self._sources.read(metric.metric_source, site)
        if isinstance(source, Foreign):
            return Foreign(source.reason, is_threshold=False)
        for field in ("value", "aggregate", "interval"):
            if getattr(source, field) is not None:
                message = f"`{field}` belongs to a thresholdMetric: remove it"
                self._report.error(
                    site.at("spec", field), "servicelevel/source", message, of_key=True
                )
                return Foreign(None, is_threshold=False)
        return source

    def _agree(
        self, part: ServicelevelSource, total: ServicelevelSource, site: Site, role: str
    ) -> bool:
        for name, alias in _ALIKE:
            if getattr(part, name) != getattr(total, name):
                message = f"{role} and total differ in {alias}: write the same in both"
                self._report.error(site.at(alias), "servicelevel/disagree", message)
                return False
        return True

    def _threshold(self, metric: Metric, site: Site) -> Form:
        source = self._sources.read(metric.metric_source, site.at("metricSource"))
        if isinstance(source, Foreign):
            return source
        place = site.at("metricSource", "spec")
        wrong = _threshold_problem(source)
        if wrong:
            self._report.error(place, "servicelevel/source", wrong)
            return Foreign(None, is_threshold=True)
        return _threshold_form(source)


def conjunction(first: str, second: str, *, negate: bool = False) -> str:
    """CEL that holds where both do (an empty one always does), or the first and not the second."""
    if negate:
        second = f"!{_bracketed(second or 'true')}"
        return f"{_bracketed(first)} && {second}" if first else second
    if first and second and first != second:
        return f"{_bracketed(first)} && {_bracketed(second)}"
    return first or second


def _bracketed(text: str) -> str:
    """A comment runs to the end of its line, so the bracket goes on the next."""
    return f"({text}\n)" if "//" in text else f"({text})"


def _threshold_form(source: ServicelevelSource) -> Own:
    share = source.percentile
    if source.interval is None:
        if source.value is None:
            raise AssertionError("a threshold is of a value or of intervals")
        return Value(source, source.value)
    if share is None:
        return Rate(source, source.interval.ms)
    if source.value is None:
        raise AssertionError("a percentile is of a value")
    return Percentile(source, source.value, share, source.interval.ms)


def _threshold_problem(source: ServicelevelSource) -> str:
    """What is wrong with the words of thresholds together; empty if nothing is."""
    if source.aggregate is None and source.value is None:
        return (
            "write value: duration_ms, or aggregate: throughput with interval: 1m, or value, "
            "aggregate: p99 and interval"
        )
    if (source.aggregate is None) != (source.interval is None):
        return "aggregate and interval go together: write both, or none"
    if source.aggregate == "throughput" and source.value is not None:
        return "throughput counts events: remove value, or write a percentile such as p99"
    if source.percentile is not None and source.value is None:
        return f"{source.aggregate} is of a field: add value: duration_ms"
    if source.aggregate == "throughput" and source.no_data is not None:
        return "throughput judges an interval without events as one of 0 events: remove noData"
    return "" if source.interval is None else _interval_problem(source, source.interval.ms)


def _interval_problem(source: ServicelevelSource, interval_ms: int) -> str:
    interval = source.interval.text if source.interval is not None else ""
    if interval_ms % source.pane.ms:
        pane = source.pane.text
        return f"the interval {interval} is no multiple of the pane {pane}: write for example 1m"
    if SPAN_MS % interval_ms and interval_ms % SPAN_MS:
        return (
            f"the interval {interval} does not divide 15 minutes and is no multiple of them: "
            "write for example 1m, 5m, 15m or 1h"
        )
    return ""
