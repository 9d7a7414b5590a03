"""The documents by kind and name, so that references find them whatever the file."""

from collections.abc import Iterable
from typing import TypeVar

from servicelevel.adapters.files.documents import Placed
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.schemas.extensions import CorrectionDocument, RulesDocument
from servicelevel.schemas.openslo.alerting import ConditionDocument, PolicyDocument, TargetDocument
from servicelevel.schemas.openslo.indicator import IndicatorDocument
from servicelevel.schemas.openslo.kinds import DataSourceDocument, ServiceDocument
from servicelevel.schemas.openslo.objective import SloDocument

DocumentT = TypeVar(
    "DocumentT",
    ServiceDocument,
    DataSourceDocument,
    IndicatorDocument,
    SloDocument,
    PolicyDocument,
    ConditionDocument,
    TargetDocument,
    RulesDocument,
    CorrectionDocument,
)


class Library:
    """Each kind has its own names; of documents of one name, references find the first.

    Two of one name are valid each by itself, and cannot be evaluated together.
    """

    def __init__(self, documents: Iterable[Placed], report: Report) -> None:
        self._all = list(documents)
        self._documents: dict[tuple[type, str], Placed] = {}
        self._names: dict[tuple[str, str], Placed] = {}
        for placed in self._all:
            self._documents.setdefault((type(placed.model), placed.name), placed)
            first = self._names.setdefault((placed.model.kind, placed.name), placed)
            if first is not placed:
                line = first.site.position().line
                message = (
                    f"{placed.model.kind} {placed.name} is already defined in "
                    f"{first.site.file}, line {line}: rename one of them"
                )
                name = placed.site.at("metadata", "name")
                report.refuse(name, "reference/duplicate-name", message)

    def all(self, kind: type[DocumentT]) -> list[tuple[DocumentT, Site]]:
        """The documents of a kind, in the order they were read."""
        return [
            (placed.model, placed.site) for placed in self._all if isinstance(placed.model, kind)
        ]

    def find(self, kind: type[DocumentT], name: str) -> tuple[DocumentT, Site] | None:
        """The document of that name, or None."""
        placed = self._documents.get((kind, name))
        if placed is None or not isinstance(placed.model, kind):
            return None
        return placed.model, placed.site
