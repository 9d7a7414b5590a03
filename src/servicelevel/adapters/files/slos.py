"""Turns an SLO document into what the evaluator watches, or says why it cannot."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm

from servicelevel.adapters.files.alert_policies import PolicyReader
from servicelevel.adapters.files.alert_rules import PolicyRule, Promised, objective_rules
from servicelevel.adapters.files.classifiers import Classifier, classifier
from servicelevel.adapters.files.corrections import CorrectionReader
from servicelevel.adapters.files.digests import slo_digest
from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.indicators import Foreign, Form, IndicatorReader
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.slo_windows import Window, read_window
from servicelevel.domain.model import Composite, NoDataPolicy, Objective, Slo
from servicelevel.domain.rules import Rule
from servicelevel.schemas.alert_tiers import AlertTiers
from servicelevel.schemas.openslo.indicator import IndicatorDocument, IndicatorSpec
from servicelevel.schemas.openslo.kinds import ServiceDocument
from servicelevel.schemas.openslo.objective import ObjectiveSpec, SloDocument, SloSpec

COMPOSITE = "composite"
"""The name of what all objectives of a composite are together."""


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
        self._corrections = CorrectionReader(library, report)
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
        window = read_window(spec, place, self._report)
        if window is None:
            return None
        rules = self._policies.rules(spec, window.length_ms, place)
        objectives = []
        for i, (objective, name) in enumerate(zip(spec.objectives, _names(spec), strict=True)):
            form, where = forms[i], place.at("objectives", i)
            found = None
            if form is not None:
                found = classifier(form, objective, spec, where, self._report)
            if found is not None and not isinstance(form, Foreign | None):
                objectives.append(_objective(objective, name, found, form.source.no_data))
        if len(objectives) != len(spec.objectives) or rules is None:
            return None
        return self._with_rules(document, site, window, objectives, rules)

    def _with_rules(
        self,
        document: SloDocument,
        site: Site,
        window: Window,
        objectives: list[Objective],
        policies: Sequence[PolicyRule],
    ) -> Slo | None:
        spec, place = document.spec, site.at("spec", "objectives")
        explicit = policies if spec.alert_policies else None
        if spec.is_composite:
            composite = _composite(spec, objectives)
            if len({o.indicator.group_by for o in objectives}) > 1:
                message = "the SLIs of a composite differ in groupBy: write the same in all"
                self._report.refuse(place, "unsupported/composite", message)
                return None
            rules = self._rules(explicit, window, composite.target, objectives, place)
            if rules is None:
                return None
            return self._slo(document, window, objectives, replace(composite, rules=rules))
        found = []
        for i, objective in enumerate(objectives):
            field = "target" if spec.objectives[i].target is not None else "targetPercent"
            where = place.at(i, field)
            rules = self._rules(explicit, window, objective.target, [objective], where)
            if rules is not None:
                found.append(replace(objective, rules=rules))
        return self._slo(document, window, found) if len(found) == len(objectives) else None

    def _rules(
        self,
        policies: Sequence[PolicyRule] | None,
        window: Window,
        target: Fraction,
        objectives: Sequence[Objective],
        site: Site,
    ) -> tuple[Rule, ...] | None:
        units = (o.slices.length_ms if o.slices else o.indicator.pane_ms for o in objectives)
        promise = Promised(window.length_ms, target, lcm(*units), site)
        return objective_rules(policies, self._tiers, promise, self._report)

    def _slo(
        self,
        document: SloDocument,
        window: Window,
        objectives: Iterable[Objective],
        composite: Composite | None = None,
    ) -> Slo:
        metadata = document.metadata
        slo = Slo(
            name=metadata.name,
            service=document.spec.service,
            window_ms=window.length_ms,
            objectives=tuple(objectives),
            digest="",
            display_name=metadata.display_name,
            labels={key: ",".join(values) for key, values in metadata.labels.items()},
            calendar=window.calendar,
            composite=composite,
            corrections=self._corrections.of(metadata.name, document.spec.service),
        )
        return replace(slo, digest=slo_digest(slo))

    def _check_service(self, spec: SloSpec, site: Site) -> None:
        if self._services and spec.service not in self._services:
            name = brief(spec.service)
            message = f"Service {name} is in none of the files: add it, or check the name"
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


def _objective(
    spec: ObjectiveSpec, name: str, found: Classifier, no_data: NoDataPolicy
) -> Objective:
    return Objective(
        name,
        found.indicator,
        _target(spec),
        (),
        slices=found.slices,
        no_data=no_data,
        percentile=found.percentile,
    )


def _composite(spec: SloSpec, objectives: Sequence[Objective]) -> Composite:
    weights = tuple(
        Fraction(1 if o.composite_weight is None else o.composite_weight) for o in spec.objectives
    )
    pairs = zip(objectives, weights, strict=True)
    target = sum((o.target * w for o, w in pairs), Fraction(0)) / sum(weights)
    return Composite(COMPOSITE, weights, target, ())


def _names(spec: SloSpec) -> Iterator[str]:
    """Unique names: the slug of `displayName`, or the position."""
    taken: set[str] = {COMPOSITE} if spec.is_composite else set()
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
