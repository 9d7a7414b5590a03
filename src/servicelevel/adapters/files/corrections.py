"""Reads corrections, and finds those of an SLO."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.domain.corrections import Correction
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.time import floor_to, pane_end
from servicelevel.schemas.extensions.correction import CorrectionDocument
from servicelevel.schemas.openslo.objective import SloDocument

MAX_CORRECTIONS = 1_000
"""Of one SLO: each of its panes is held against all of them."""


class CorrectionReader:
    """All corrections, checked once."""

    def __init__(self, library: Library, report: Report) -> None:
        self._report = report
        slos = [document for document, _ in library.all(SloDocument)]
        self._names = {document.metadata.name for document in slos}
        self._services = {document.spec.service for document in slos}
        self._each = [
            (document.spec, self._read(document, site.at("spec")))
            for document, site in library.all(CorrectionDocument)
        ]

    def of(self, name: str, service: str, site: Site) -> tuple[Correction, ...] | None:
        """Those of an SLO, from the earliest; None after reporting that it has too many."""
        found = [made for spec, made in self._each if name in spec.slos or service in spec.services]
        if len(found) > MAX_CORRECTIONS:
            message = (
                f"has {len(found)} corrections, more than {MAX_CORRECTIONS}: join some, or remove "
                "those that no window reaches any more"
            )
            self._report.refuse(site, "unsupported/corrections", message)
            return None
        return tuple(sorted(found, key=lambda each: (each.from_ms, each.to_ms, each.name)))

    def _read(self, document: CorrectionDocument, site: Site) -> Correction:
        spec = document.spec
        self._resolve(spec.slos, self._names, "SLO", site.at("slos"))
        self._resolve(spec.services, self._services, "SLO of the service", site.at("services"))
        from_ms, to_ms = floor_to(spec.from_.ms, SPAN_MS), pane_end(spec.to_ms, SPAN_MS)
        self._tell_moved("from", spec.from_.ms, from_ms, site.at("from"))
        end = site.at("to" if spec.to is not None else "duration")
        self._tell_moved("to", spec.to_ms, to_ms, end)
        return Correction(
            name=document.metadata.name,
            from_ms=from_ms,
            to_ms=to_ms,
            effect=spec.effect,
            by=spec.by,
            reason=spec.reason,
            recorded_at=spec.recorded_at.text if spec.recorded_at is not None else "",
        )

    def _resolve(self, names: Iterable[str], known: set[str], what: str, site: Site) -> None:
        for index, name in enumerate(names):
            if name not in known:
                message = f"{what} {brief(name)} is in none of the files: add it, or check the name"
                self._report.refuse(site.at(index), "reference/unresolved", message)

    def _tell_moved(self, edge: str, written_ms: int, moved_ms: int, site: Site) -> None:
        if written_ms != moved_ms:
            message = (
                f"corrections are of whole quarters of an hour, so {_shown(written_ms)} is moved "
                f"outward: write {edge}: {_shown(moved_ms)}"
            )
            self._report.warn(site, "servicelevel/correction-moved", message)


def _shown(at_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.isoformat().replace("+00:00", "Z")
