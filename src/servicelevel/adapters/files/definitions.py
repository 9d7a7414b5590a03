"""Loads definitions: files and folders of documents become a catalogue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from servicelevel.adapters.files.alert_tiers import default_tiers
from servicelevel.adapters.files.documents import read_documents
from servicelevel.adapters.files.findings import Finding, Report, Site, in_order
from servicelevel.adapters.files.indicators import IndicatorReader
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.objective_forms import FormReader
from servicelevel.adapters.files.slos import SloReader
from servicelevel.adapters.files.sources import Check, SourceReader
from servicelevel.application.cel import compile_predicate
from servicelevel.domain.model import Catalogue, EventKind, Slo
from servicelevel.schemas.alert_tiers import AlertTiers
from servicelevel.schemas.openslo.indicator import IndicatorDocument
from servicelevel.schemas.openslo.objective import SloDocument

__all__ = ["Check", "Finding", "Loaded", "load_definitions"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A catalogue of the SLOs that can be evaluated, and what was found on the way.

    `findings` judge the documents. `unsupported` are about valid documents: an error names what
    keeps an SLO out of the catalogue, a warning what an SLO is evaluated without.
    """

    catalogue: Catalogue
    findings: list[Finding]
    unsupported: list[Finding]

    @property
    def is_valid(self) -> bool:
        """Whether no document has an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def is_complete(self) -> bool:
        """Whether, besides, every SLO is in the catalogue."""
        return self.is_valid and not any(f.severity == "error" for f in self.unsupported)


def load_definitions(
    paths: Iterable[Path],
    *,
    lenient: bool = False,
    check: Check | None = None,
    tiers: AlertTiers | None = None,
) -> Loaded:
    """Read all definitions in files and, recursively, in folders (`.yaml`, `.yml`).

    `lenient` accepts what OpenSLO's own examples do beyond its SDK. `check` judges a `where`,
    `tiers` are the rules of SLOs without alert policies; both have the package's own as default.
    Raises DependencyError where a path cannot be read; all else that is wrong is a finding.
    """
    report = Report()
    library = Library(read_documents(paths, report, lenient=lenient), report)
    sources = SourceReader(library, report, check or _compiles, lenient=lenient)
    indicators = IndicatorReader(sources, report)
    for sli, site in library.all(IndicatorDocument):
        indicators.read(sli.spec, site.at("spec"))
    forms = FormReader(library, indicators, report, lenient=lenient)
    reader = SloReader(library, forms, tiers or default_tiers(), report)
    slos: dict[str, Slo] = {}
    sites: dict[str, Site] = {}
    for document, site in library.all(SloDocument):
        slo = reader.read(document, site)
        if slo is not None and slo.name not in slos:
            slos[slo.name], sites[slo.name] = slo, site.at("metadata", "name")
    _tell_limits(Catalogue.of(slos.values()), sites, report)
    return Loaded(
        Catalogue.of(slos.values()),
        in_order(report.findings),
        in_order(report.unsupported),
    )


def _tell_limits(catalogue: Catalogue, sites: Mapping[str, Site], report: Report) -> None:
    """Point out limits of groups that are not in force, as what is counted is counted once."""
    in_force = {key: each for key, (each, _) in catalogue.indicators().items()}
    for slo in catalogue.slos.values():
        for objective in slo.objectives:
            own, other = objective.indicator, in_force[objective.indicator.id]
            if (own.max_groups, own.group_ttl_ms) != (other.max_groups, other.group_ttl_ms):
                message = (
                    f"{objective.name}: another SLO counts the same with other maxGroups or "
                    "groupTtl, which are in force: write the same in both"
                )
                report.warn(sites[slo.name], "servicelevel/groups", message)


def _compiles(text: str, event: EventKind) -> None:
    compile_predicate(text, event=event)
