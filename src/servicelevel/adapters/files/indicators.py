"""Reads an SLI: which events it counts, and which of them are good."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from servicelevel.adapters.files.explain import brief, validated
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.model import EventKind
from servicelevel.errors import CelError
from servicelevel.schemas.events import EVENT_TYPES
from servicelevel.schemas.openslo.indicator import IndicatorSpec, Metric, MetricSource, RatioMetric
from servicelevel.schemas.openslo.kinds import DataSourceDocument
from servicelevel.schemas.openslo.source import SOURCE_TYPE, THROUGHPUT, ServicelevelSource

Check = Callable[[str, EventKind], None]
"""Raises CelError if the text is no predicate over events of that kind."""

NUMERIC_ROOTS = ("duration_ms", "status_code", "attributes")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Good events among all."""

    source: ServicelevelSource
    good: str


@dataclass(frozen=True, slots=True)
class Value:
    """A field that each objective compares with its own value."""

    source: ServicelevelSource
    field: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in each interval, which each objective compares with its own value."""

    source: ServicelevelSource
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Quantile:
    """A percentile of a field in each interval, which each objective compares with its value."""

    source: ServicelevelSource
    field: str
    ratio: Fraction
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """Valid, and not for us to evaluate: `reason` says why; None where that is reported."""

    reason: str | None
    is_threshold: bool


Form = Ratio | Value | Rate | Quantile | Foreign


class IndicatorReader:
    """Reads each SLI once, however many SLOs use it, so that each finding comes once."""

    def __init__(self, library: Library, report: Report, check: Check, *, lenient: bool) -> None:
        self._library = library
        self._report = report
        self._check = check
        self._lenient = lenient
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
            self._source(ratio.raw.metric_source, site.at("raw", "metricSource"))
            reason = "raw ratios are not evaluated yet: write good or bad, and total"
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
        if not self._agree(part, total, site.at(role, "metricSource", "spec"), role):
            return Foreign(None, is_threshold=False)
        good = conjunction(total.where, part.where, negate=not is_good)
        if not self._joins(good, total.event, site.at(role, "metricSource", "spec")):
            return Foreign(None, is_threshold=False)
        return Ratio(total, good)

    def _joins(self, text: str, event: EventKind, site: Site) -> bool:
        """Whether two expressions, each of them fine, are so together."""
        try:
            self._check(text, event)
        except CelError as error:
            message = f"`where` of this and of total together: {error.problem}"
            self._report.error(site, "servicelevel/where", message)
            return False
        return True

    def _metric(self, metric: Metric, site: Site) -> ServicelevelSource | Foreign:
        """The source of a part of a ratio, which has no use for the words of thresholds."""
        source = self._source(metric.metric_source, site)
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
        for name, alias in (
            ("event", "event"),
            ("service", "service"),
            ("group_by", "groupBy"),
            ("pane", "pane"),
            ("no_data", "noData"),
            ("max_groups", "maxGroups"),
            ("group_ttl", "groupTtl"),
        ):
            if getattr(part, name) != getattr(total, name):
                message = f"{role} and total differ in {alias}: write the same in both"
                self._report.error(site.at(alias), "servicelevel/disagree", message)
                return False
        return True

    def _threshold(self, metric: Metric, site: Site) -> Form:
        source = self._source(metric.metric_source, site.at("metricSource"))
        if isinstance(source, Foreign):
            return source
        place = site.at("metricSource", "spec")
        wrong = _threshold_problem(source)
        if wrong:
            self._report.error(place, "servicelevel/source", wrong)
            return Foreign(None, is_threshold=True)
        interval_ms = source.interval.ms if source.interval is not None else 0
        if source.value is None:
            return Rate(source, interval_ms)
        if source.percentile is None:
            return Value(source, source.value)
        return Quantile(source, source.value, source.percentile, interval_ms)

    def _source(self, source: MetricSource, site: Site) -> ServicelevelSource | Foreign:
        """Our own source, read; or why it is none of ours."""
        kind = source.type
        if source.metric_source_ref is not None:
            found = self._library.find(DataSourceDocument, source.metric_source_ref)
            if found is None and kind is None:
                name = source.metric_source_ref
                return Foreign(f"DataSource {name} is in none of the files", is_threshold=True)
            kind = kind or (found[0].spec.type if found else None)
        if kind != SOURCE_TYPE:
            name = f"of type {brief(kind)}" if kind else "without a type"
            reason = f"metric sources {name} are not evaluated: write type: {SOURCE_TYPE}"
            return Foreign(reason, is_threshold=True)
        spec = site.at("spec")
        read = validated(ServicelevelSource, source.spec, spec, self._report, lenient=self._lenient)
        if read is None or not self._fields_exist(read, spec) or not self._compiles(read, spec):
            return Foreign(None, is_threshold=True)
        return read

    def _fields_exist(self, source: ServicelevelSource, site: Site) -> bool:
        names = [(field, site.at("groupBy", i)) for i, field in enumerate(source.group_by)]
        if source.value is not None:
            names.append((source.value, site.at("value")))
        wrong = [(name, _field_problem(name, source.event), place) for name, place in names]
        if source.value is not None and source.value.partition(".")[0] not in NUMERIC_ROOTS:
            problem = "is no number: write duration_ms, status_code or attributes.NAME"
            wrong[-1] = (source.value, wrong[-1][1] or problem, site.at("value"))
        for name, problem, place in wrong:
            if problem:
                self._report.error(place, "servicelevel/field", f"`{name}` {problem}")
        return not any(problem for _, problem, _ in wrong)

    def _compiles(self, source: ServicelevelSource, site: Site) -> bool:
        if not source.where:
            return True
        try:
            self._check(source.where, source.event)
        except CelError as error:
            where, message = site.at("where"), f"`where`: {error.problem}"
            rule = "servicelevel/where"
            self._report.error_in_text(where, error.line, error.column, rule, message)
            return False
        return True


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


def _threshold_problem(source: ServicelevelSource) -> str:
    if source.aggregate == THROUGHPUT and source.value is not None:
        return "throughput counts events, not a value: remove value, or write aggregate: p99"
    if source.aggregate != THROUGHPUT and source.value is None:
        return "write value: duration_ms, or aggregate: throughput with interval: 1m"
    if (source.aggregate is None) != (source.interval is None):
        return "aggregate and interval go together: write both, or none"
    if source.interval is not None and source.interval.ms % source.pane.ms:
        interval, pane = source.interval.text, source.pane.text
        return f"the interval {interval} is no multiple of the pane {pane}: write for example 1m"
    if source.interval is not None and SPAN_MS % source.interval.ms:
        return (
            f"the interval {source.interval.text} does not divide 15 minutes: write for example "
            "1m, 5m or 15m"
        )
    return ""


def _field_problem(name: str, event: EventKind) -> str:
    known = EVENT_TYPES[event].__struct_fields__
    root, _, rest = name.partition(".")
    if root not in known:
        close = get_close_matches(root, known, n=1, cutoff=0.6)
        hint = close[0] if close else f"attributes.{root}"
        return f"is no field of {event} events: write {hint}"
    if root == "attributes" and not rest:
        return "is not one value: write attributes and a name, such as attributes.region"
    if root == "attributes" and "." in rest:
        return "is too deep: attributes are plain values"
    return "has no fields of its own" if rest and root != "attributes" else ""
