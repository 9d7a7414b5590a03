"""Adds the cells of a message to their series: each in its group, and in total.

A pane has a cell from each source and range, so cells are added up first: what touches a series
then happens once for each pane and message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from servicelevel.application.evaluate.book import TOTAL, Book
from servicelevel.application.evaluate.series import Series
from servicelevel.domain.counts import BadEvidence, Cell

PaneKey = tuple[int, int]
"""The pane's end and the revision's time (0: none), in ms."""


@dataclass(slots=True)
class Added:
    """What a message's cells of one series and pane come to."""

    good: int = 0
    total: int = 0
    bad: list[BadEvidence] = field(default_factory=list)
    sketches: list[Mapping[int, int]] = field(default_factory=list)

    def take_in(self, cell: Cell) -> None:
        """Add a cell."""
        self.good += cell.good
        self.total += cell.total
        if cell.bad is not None:
            self.bad.append(cell.bad)
        if cell.sketch is not None:
            self.sketches.append(cell.sketch)


Sums = dict[Series, dict[PaneKey, Added]]


def add_up(cells: Iterable[Cell], book: Book) -> Sums:
    """The sums of cells by series and pane; series are made where they are new."""
    sums: Sums = {}
    places: dict[tuple[str, str], list[dict[PaneKey, Added]]] = {}
    for cell in cells:
        place = cell.indicator, cell.group
        into = places.get(place)
        if into is None:
            into = places[place] = [
                sums.setdefault(series, {}) for series in _series_of(cell, book)
            ]
        pane = cell.pane_end_ms, cell.revision_ms
        for panes in into:
            added = panes.get(pane)
            if added is None:
                added = panes[pane] = Added()
            added.take_in(cell)
    return sums


def _series_of(cell: Cell, book: Book) -> list[Series]:
    group = cell.group and book.admit(cell.indicator, cell.group)
    return [book.row(cell.indicator, name).series for name in dict.fromkeys((group, TOTAL))]
