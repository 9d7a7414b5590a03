"""Reads the metric source `servicelevel`: fields that exist, expressions that compile."""

from collections.abc import Callable
from difflib import get_close_matches

from servicelevel.adapters.files.explain import brief, validated
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.source_forms import Foreign
from servicelevel.domain.model import EventKind
from servicelevel.errors import CelError
from servicelevel.schemas.events import EVENT_TYPES
from servicelevel.schemas.openslo.indicator import MetricSource
from servicelevel.schemas.openslo.kinds import DataSourceDocument
from servicelevel.schemas.openslo.source import SOURCE_TYPE, ServicelevelSource

Check = Callable[[str, EventKind], None]
"""Raises CelError if the text is no predicate over events of that kind."""

NUMERIC_ROOTS = ("duration_ms", "status_code", "attributes")


class SourceReader:
    """Reads metric sources against the other documents."""

    def __init__(self, library: Library, report: Report, check: Check, *, lenient: bool) -> None:
        self._library = library
        self._report = report
        self._check = check
        self._lenient = lenient

    def read(self, source: MetricSource, site: Site) -> ServicelevelSource | Foreign:
        """Our own source, read; or why it is none of ours. `site` is that of `metricSource`."""
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

    def joins(self, text: str, event: EventKind, site: Site) -> bool:
        """Whether two expressions, each of them fine, are so together."""
        try:
            self._check(text, event)
        except CelError as error:
            message = f"`where` of this and of total together: {error.problem}"
            self._report.error(site, "servicelevel/where", message)
            return False
        return True

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
