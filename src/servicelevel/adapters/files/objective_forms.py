"""Finds the indicator of an objective, and sees whether the objective's words go with it."""

from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.indicators import IndicatorReader
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.source_forms import Foreign, Own
from servicelevel.schemas.openslo.indicator import IndicatorDocument, IndicatorSpec
from servicelevel.schemas.openslo.objective import ObjectiveSpec, SloSpec


class FormReader:
    """The form that each objective's indicator has."""

    def __init__(
        self, library: Library, indicators: IndicatorReader, report: Report, *, lenient: bool
    ) -> None:
        self._library = library
        self._indicators = indicators
        self._report = report
        self._lenient = lenient

    def read(self, objective: ObjectiveSpec, spec: SloSpec, site: Site, where: Site) -> Own | None:
        """The indicator that an objective uses, checked against it; None: reported.

        `site` is that of the SLO's spec, `where` that of the objective.
        """
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
