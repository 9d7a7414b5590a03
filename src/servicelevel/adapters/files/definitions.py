"""Loads definitions: files and folders of OpenSLO documents become a catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from servicelevel.adapters.files.alert_rules import default_tiers
from servicelevel.adapters.files.documents import read_documents
from servicelevel.adapters.files.findings import Finding, Report, in_order
from servicelevel.adapters.files.indicators import Check, IndicatorReader
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.slos import SloReader
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
    indicators = IndicatorReader(library, report, check or _compiles, lenient=lenient)
    for sli, site in library.all(IndicatorDocument):
        indicators.read(sli.spec, site.at("spec"))
    reader = SloReader(library, indicators, tiers or default_tiers(), report, lenient=lenient)
    slos: dict[str, Slo] = {}
    for document, site in library.all(SloDocument):
        slo = reader.read(document, site)
        if slo is not None:
            slos.setdefault(slo.name, slo)
    return Loaded(
        Catalogue.of(slos.values()),
        in_order(report.findings),
        in_order(report.unsupported),
    )


def _compiles(text: str, event: EventKind) -> None:
    compile_predicate(text, event=event)
