"""Turns an SLO document into what the evaluator watches, or says why it cannot."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from servicelevel.adapters.files.alert_policies import PolicyReader
from servicelevel.adapters.files.alert_rules import objective_rules
from servicelevel.adapters.files.digests import indicator_id, slo_digest
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.indicators import (
    Foreign,
    Form,
    IndicatorReader,
    Rate,
    Ratio,
    conjunction,
)
from servicelevel.adapters.files.library import Library
from servicelevel.domain.model import Indicator, Objective, Slo, Throughput
from servicelevel.domain.time import DAY_MS
from servicelevel.schemas.alert_tiers import AlertTiers
from servicelevel.schemas.openslo.common import Operator
from servicelevel.schemas.openslo.indicator import IndicatorDocument, IndicatorSpec
from servicelevel.schemas.openslo.kinds import ServiceDocument
from servicelevel.schemas.openslo.objective import ObjectiveSpec, SloDocument, SloSpec

MAX_WINDOW_MS = 366 * DAY_MS
_SIGNS: dict[Operator, str] = {"lte": "<=", "lt": "<", "gte": ">=", "gt": ">"}


class SloReader:
    """Resolves SLOs one by one against the other documents."""

    def __init__(
        self,
        library: Library,
        indicators: IndicatorReader,
        tiers: AlertTiers,
        report: Report,
        *,
        lenient: bool,
    ) -> None:
        self._library = library
        self._indicators = indicators
        self._policies = PolicyReader(library, report)
        self._tiers = tiers
        self._report = report
        self._lenient = lenient
        self._services = {model.metadata.name for model, _ in library.all(ServiceDocument)}

    def read(self, document: SloDocument, site: Site) -> Slo | None:
        """The SLO, or None after reporting why it is not evaluated."""
        spec, place = document.spec, site.at("spec")
        self._check_service(spec, place)
        forms = [
            self._form(o, spec, place, place.at("objectives", i))
            for i, o in enumerate(spec.objectives)
        ]
        window_ms = self._window(spec, place)
        if window_ms is None or not self._is_supported(spec, place):
            return None
        conditions = self._policies.conditions(spec, window_ms, place)
        objectives = []
        for i, (objective, name) in enumerate(zip(spec.objectives, _names(spec), strict=True)):
            form, where = forms[i], place.at("objectives", i)
            indicator = None if form is None else self._indicator(objective, form, spec, where)
            if indicator is None or conditions is None:
                continue
            target = _target(objective)
            explicit = conditions if spec.alert_policies else None
            field = "target" if objective.target is not None else "targetPercent"
            rules = objective_rules(
                explicit,
                self._tiers,
                window_ms,
                target,
                indicator.pane_ms,
                where.at(field),
                self._report,
            )
            if rules is not None:
                objectives.append(Objective(name, indicator, target, rules))
        if len(objectives) != len(spec.objectives):
            return None
        return _slo(document, window_ms, objectives)

    def _check_service(self, spec: SloSpec, site: Site) -> None:
        if self._services and spec.service not in self._services:
            message = f"Service {spec.service} is in none of the files: add it, or check the name"
            self._report.warn(site.at("service"), "reference/service", message)

    def _form(
        self, objective: ObjectiveSpec, spec: SloSpec, site: Site, where: Site
    ) -> Form | None:
        """The indicator that an objective uses, checked against it; None: reported."""
        owner: ObjectiveSpec | SloSpec = objective if objective.has_indicator else spec
        place = where if objective.has_indicator else site
        found: tuple[IndicatorSpec, Site]
        if owner.indicator is not None:
            found = owner.indicator.spec, place.at("indicator", "spec")
        else:
            name = owner.indicator_ref or ""
            document = self._library.find(IndicatorDocument, name)
            if document is None:
                message = f"SLI {name} is in none of the files: add it, or name one that is"
                self._report.refuse(place.at("indicatorRef"), "reference/unresolved", message)
                return None
            found = document[0].spec, document[1].at("spec")
        form = self._indicators.read(*found)
        is_threshold = found[0].threshold_metric is not None
        fits = self._fits_threshold if is_threshold else self._fits_ratio
        if not fits(objective, owner, where):
            return None
        if isinstance(form, Foreign):
            if form.reason is not None:
                self._report.refuse(found[1], "unsupported/source", form.reason)
            return None
        return form

    def _fits_threshold(
        self, objective: ObjectiveSpec, owner: ObjectiveSpec | SloSpec, site: Site
    ) -> bool:
        """Threshold metrics need `op` and `value`; the document must have them if inline."""
        missing = [field for field in ("op", "value") if getattr(objective, field) is None]
        if not missing:
            return True
        names = " and ".join(missing)
        message = f"a thresholdMetric needs {names} here: write for example op: lte, value: 300"
        required = owner.indicator is not None and (owner is not objective or not self._lenient)
        tell = self._report.error if required else self._report.refuse
        tell(site, "openslo/threshold", message)
        return False

    def _fits_ratio(
        self, objective: ObjectiveSpec, owner: ObjectiveSpec | SloSpec, site: Site
    ) -> bool:
        """Ratios have no use for `op` and `value`; the document must not have them if inline."""
        given = [field for field in ("op", "value") if getattr(objective, field) is not None]
        if not given:
            return True
        message = f"`{given[0]}` belongs to a thresholdMetric, not to a ratio: remove it"
        where, forbidden = site.at(given[0]), owner is not objective and owner.indicator is not None
        if forbidden and not self._lenient:
            self._report.error(where, "openslo/threshold", message)
            return False
        tell = self._report.warn if forbidden else self._report.ignore
        tell(where, "openslo/threshold", message)
        return True

    def _window(self, spec: SloSpec, site: Site) -> int | None:
        if not spec.time_window:
            message = "without timeWindow nothing is evaluated: add one, such as 30d, rolling"
            self._report.refuse(site, "unsupported/time-window", message)
            return None
        window, place = spec.time_window[0], site.at("timeWindow", 0)
        if not window.is_rolling:
            message = "calendar windows are not evaluated yet: write isRolling: true"
            self._report.refuse(place, "unsupported/calendar", message)
            return None
        if window.duration.ms > MAX_WINDOW_MS:
            message = (
                f"{window.duration.text} is more than {MAX_WINDOW_MS // DAY_MS} days: write less"
            )
            self._report.refuse(place.at("duration"), "unsupported/time-window", message)
            return None
        return window.duration.ms

    def _is_supported(self, spec: SloSpec, site: Site) -> bool:
        if spec.is_composite:
            message = "composite SLOs are not evaluated yet: write one SLO for each indicator"
            self._report.refuse(site.at("objectives"), "unsupported/composite", message)
            return False
        if spec.budgeting_method != "Occurrences":
            message = f"{spec.budgeting_method} is not evaluated yet: write Occurrences"
            self._report.refuse(site.at("budgetingMethod"), "unsupported/method", message)
            return False
        return True

    def _indicator(
        self, objective: ObjectiveSpec, form: Form, spec: SloSpec, site: Site
    ) -> Indicator | None:
        if isinstance(form, Foreign):
            return None
        source, throughput = form.source, None
        if isinstance(form, Ratio):
            good = form.good
        else:
            if objective.op is None or objective.value is None:
                raise AssertionError("a threshold has op and value")
            if isinstance(form, Rate):
                good = ""
                value = Fraction(objective.value)
                throughput = Throughput(form.interval_ms, objective.op, value)
                if form.interval_ms > spec.time_window[0].duration.ms:
                    message = (
                        "the interval of the metric is longer than the SLO's window: write less"
                    )
                    self._report.error(site, "servicelevel/interval", message)
                    return None
            else:
                comparison = f"{form.field} {_SIGNS[objective.op]} {_literal(objective.value)}"
                good = conjunction(source.where, comparison)
        indicator = Indicator(
            id="",
            event=source.event,
            service=source.service or spec.service,
            total=source.where,
            good=good,
            group_by=tuple(source.group_by),
            pane_ms=source.pane.ms,
            throughput=throughput,
        )
        return replace(indicator, id=indicator_id(indicator))


def _slo(document: SloDocument, window_ms: int, objectives: Iterable[Objective]) -> Slo:
    metadata = document.metadata
    slo = Slo(
        name=metadata.name,
        service=document.spec.service,
        window_ms=window_ms,
        objectives=tuple(objectives),
        digest="",
        display_name=metadata.display_name,
        labels={key: ",".join(values) for key, values in metadata.labels.items()},
    )
    return replace(slo, digest=slo_digest(slo))


def _names(spec: SloSpec) -> Iterator[str]:
    """Unique names: the slug of `displayName`, or the position."""
    taken: set[str] = set()
    for number, objective in enumerate(spec.objectives, 1):
        base = name = _slug(objective.display_name) or f"objective-{number}"
        while name in taken:
            name = f"{base}-{number}"
            base = name
        taken.add(name)
        yield name


def _slug(text: str) -> str:
    """Lower-case letters, digits and dashes; empty if the text has none of ASCII."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:63].rstrip("-")


def _target(objective: ObjectiveSpec) -> Fraction:
    if objective.target is not None:
        return Fraction(objective.target)
    if objective.target_percent is None:
        raise AssertionError("an objective has a target")
    return Fraction(objective.target_percent) / 100


def _literal(value: Decimal) -> str:
    """A CEL double."""
    text = format(value, "f")
    return text if "." in text else f"{text}.0"
