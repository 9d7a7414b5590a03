"""Which corrections hold for which SLO."""

from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.domain.corrections import Correction
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.time import floor_to, pane_end
from servicelevel.schemas.extensions import CorrectionDocument, CorrectionSpec
from servicelevel.schemas.moments import rfc3339
from servicelevel.schemas.openslo.kinds import ServiceDocument
from servicelevel.schemas.openslo.objective import SloDocument


class CorrectionReader:
    """Reads all corrections once; what is odd or unresolved in one is reported once."""

    def __init__(self, library: Library, report: Report) -> None:
        self._report = report
        self._all = [
            (document.spec, self._read(document, site))
            for document, site in library.all(CorrectionDocument)
        ]
        slos = [document for document, _ in library.all(SloDocument)]
        services = {document.metadata.name for document, _ in library.all(ServiceDocument)}
        self._slos = {document.metadata.name for document in slos}
        self._services = services | {document.spec.service for document in slos}
        for document, site in library.all(CorrectionDocument):
            self._check_names(document.spec, site.at("spec"))

    def of(self, slo: str, service: str) -> tuple[Correction, ...]:
        """The corrections of an SLO, by time."""
        found = [c for spec, c in self._all if slo in spec.slos or service in spec.services]
        return tuple(sorted(found, key=lambda c: (c.from_ms, c.to_ms, c.name)))

    def _read(self, document: CorrectionDocument, site: Site) -> Correction:
        spec = document.spec
        from_ms, to_ms = floor_to(spec.from_ms, SPAN_MS), pane_end(spec.to_ms, SPAN_MS)
        if (from_ms, to_ms) != (spec.from_ms, spec.to_ms):
            message = (
                "begins and ends on quarters of an hour, which old counts are kept by: it holds "
                f"from {rfc3339(from_ms)} to {rfc3339(to_ms)}"
            )
            self._report.warn(site.at("spec", "from"), "servicelevel/correction", message)
        return Correction(
            document.metadata.name,
            from_ms,
            to_ms,
            spec.effect,
            by=spec.by,
            reason=spec.reason,
            recorded_at=spec.recorded_at or "",
        )

    def _check_names(self, spec: CorrectionSpec, site: Site) -> None:
        """A name that nothing has corrects nothing, which nobody would see."""
        both = (
            ("slos", "SLO", spec.slos, self._slos),
            ("services", "service", spec.services, self._services),
        )
        for field, kind, named, known in both:
            for index, name in enumerate(named):
                if name not in known:
                    shown = brief(name)
                    message = f"{kind} {shown} is in none of the files: add it, or check the name"
                    self._report.refuse(site.at(field, index), "reference/unresolved", message)
