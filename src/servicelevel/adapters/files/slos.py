"""Turns an SLO document into what the evaluator watches, or says why it cannot."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm

from servicelevel.adapters.files.alert_policies import PolicyReader
from servicelevel.adapters.files.alert_rules import Judged, Wanted, objective_rules
from servicelevel.adapters.files.corrections import CorrectionReader
from servicelevel.adapters.files.digests import slo_digest
from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.objective_forms import FormReader
from servicelevel.adapters.files.objectives import ObjectiveReader
from servicelevel.adapters.files.time_windows import read_window
from servicelevel.domain.model import Composite, Objective, Slo
from servicelevel.domain.rules import Rule
from servicelevel.schemas.alert_tiers import AlertTiers
from servicelevel.schemas.openslo.kinds import ServiceDocument
from servicelevel.schemas.openslo.objective import SloDocument, SloSpec

COMPOSITE = "composite"
"""The name of a composite among its objectives, of which none has it."""


class SloReader:
    """Resolves SLOs one by one against the other documents."""

    def __init__(
        self, library: Library, forms: FormReader, tiers: AlertTiers, report: Report
    ) -> None:
        self._forms = forms
        self._objectives = ObjectiveReader(report)
        self._policies = PolicyReader(library, report)
        self._corrections = CorrectionReader(library, report)
        self._tiers = tiers
        self._report = report
        self._services = {model.metadata.name for model, _ in library.all(ServiceDocument)}

    def read(self, document: SloDocument, site: Site) -> Slo | None:
        """The SLO, or None after reporting why it is not evaluated."""
        spec, place = document.spec, site.at("spec")
        self._check_service(spec, place)
        objectives = self._read_objectives(spec, place)
        window = read_window(spec, place, self._report)
        wanted = self._policies.wanted(spec, place) if spec.alert_policies else None
        name = document.metadata.name
        corrections = self._corrections.of(name, spec.service, site.at("metadata", "name"))
        if window is None or objectives is None or corrections is None:
            return None
        if spec.alert_policies and wanted is None:
            return None
        slo = Slo(
            name=name,
            service=spec.service,
            window_ms=window.ms,
            objectives=tuple(objectives),
            digest="",
            display_name=document.metadata.display_name,
            labels={key: ",".join(values) for key, values in document.metadata.labels.items()},
            calendar=window.calendar,
            corrections=corrections,
        )
        ruled = self._composed(slo, spec, wanted, place)
        return None if ruled is None else replace(ruled, digest=slo_digest(ruled))

    def _check_service(self, spec: SloSpec, site: Site) -> None:
        if self._services and spec.service not in self._services:
            name = brief(spec.service)
            message = f"Service {name} is in none of the files: add it, or check the name"
            self._report.warn(site.at("service"), "reference/service", message)

    def _read_objectives(self, spec: SloSpec, site: Site) -> list[Objective] | None:
        """All objectives, still without rules; None if one cannot be evaluated."""
        objectives = []
        for i, (written, name) in enumerate(zip(spec.objectives, _names(spec), strict=True)):
            where = site.at("objectives", i)
            form = self._forms.read(written, spec, site, where)
            if form is not None and spec.time_window:
                objective = self._objectives.read(name, written, form, spec, where)
                if objective is not None:
                    objectives.append(objective)
        return objectives if len(objectives) == len(spec.objectives) else None

    def _composed(
        self, slo: Slo, spec: SloSpec, wanted: Sequence[Wanted] | None, site: Site
    ) -> Slo | None:
        """The SLO with its rules: those of each objective, or of the composite of all."""
        places = [
            site.at("objectives", i, "target" if o.target is not None else "targetPercent")
            for i, o in enumerate(spec.objectives)
        ]
        if spec.is_composite:
            return self._composite(slo, spec, wanted, site.at("objectives"))
        objectives = []
        for objective, place in zip(slo.objectives, places, strict=True):
            rules = self._rules(slo, [objective], objective.target, wanted, place)
            if rules is not None:
                objectives.append(replace(objective, rules=rules))
        complete = len(objectives) == len(slo.objectives)
        return replace(slo, objectives=tuple(objectives)) if complete else None

    def _composite(
        self, slo: Slo, spec: SloSpec, wanted: Sequence[Wanted] | None, site: Site
    ) -> Slo | None:
        first, *others = slo.objectives
        for i, other in enumerate(others, 1):
            if other.indicator.group_by != first.indicator.group_by:
                message = (
                    "the indicators of a composite have the same groupBy: this one has "
                    f"{_fields(other)}, the first {_fields(first)}: write the same"
                )
                self._report.refuse(site.at(i), "unsupported/composite", message)
                return None
        weights = tuple(Fraction(o.composite_weight or 1) for o in spec.objectives)
        weighted = zip(weights, slo.objectives, strict=True)
        target = sum((w * o.target for w, o in weighted), Fraction()) / sum(weights)
        rules = self._rules(slo, slo.objectives, target, wanted, site)
        if rules is None:
            return None
        return replace(slo, composite=Composite(COMPOSITE, weights, target, rules))

    def _rules(
        self,
        slo: Slo,
        objectives: Sequence[Objective],
        target: Fraction,
        wanted: Sequence[Wanted] | None,
        site: Site,
    ) -> tuple[Rule, ...] | None:
        judged = Judged(
            target=target,
            window_ms=slo.window_ms,
            pane_ms=lcm(*(o.indicator.pane_ms for o in objectives)),
            slice_ms=max(o.slices.length_ms if o.slices else 0 for o in objectives),
            site=site,
        )
        return objective_rules(wanted, self._tiers, judged, self._report)


def _fields(objective: Objective) -> str:
    return ", ".join(objective.indicator.group_by) or "none"


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
