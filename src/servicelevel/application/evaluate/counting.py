"""Counts what a message adds to each series, and stores the series that it changed."""

from collections.abc import Mapping

from servicelevel.application.evaluate.adding import Added, PaneKey, Sums
from servicelevel.application.evaluate.book import Book
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.records import first_key
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.storing import store_series
from servicelevel.application.pieces import Pieces
from servicelevel.application.ports import StateStore
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.time import floor_to

PIECE = 50
"""Series counted or judged before others have their turn: some 10 ms."""


class Counting:
    """First `count`, later `store`, with the offset of the same message."""

    def __init__(self, book: Book, state: StateStore, policy: EvaluationPolicy) -> None:
        self._book = book
        self._state = state
        self._policy = policy
        self._dirty: list[Series] = []

    def count(self, sums: Sums, offset: int, watermark_ms: int | None) -> Pieces[list[Series]]:
        """Count a message's sums; the series that have bad events."""
        for number, (series, panes) in enumerate(sums.items(), 1):
            self._count(series, panes, offset, watermark_ms)
            if number % PIECE == 0:
                yield
        self._dirty += sums
        return [s for s, panes in sums.items() if any(p.good < p.total for p in panes.values())]

    def store(self, offset: int) -> Pieces[None]:
        """Write what was changed."""
        for number, series in enumerate(self._dirty, 1):
            store_series(self._state, series, offset)
            if number % PIECE == 0:
                yield
        self._dirty.clear()

    def _count(
        self,
        series: Series,
        panes: Mapping[PaneKey, Added],
        offset: int,
        watermark_ms: int | None,
    ) -> None:
        if series.begin_at(min(revision_ms or end_ms for end_ms, revision_ms in panes)):
            self._state.put(first_key(series), offset, series.panes.first_ms)
        if not series.windows:
            for judged in self._book.judged_of([series]):
                judged.start(watermark_ms)
        for (end_ms, revision_ms), added in panes.items():
            series.add(end_ms, (added.good, added.total), offset, watermark_ms, revision_ms)
            if self._keeps_details(end_ms, revision_ms, watermark_ms):
                for bad in added.bad:
                    series.add_origin(end_ms, bad, offset)
                for sketch in added.sketches:
                    series.add_values(end_ms, sketch, offset)

    def _keeps_details(self, end_ms: int, revision_ms: int, watermark_ms: int | None) -> bool:
        # Not of revisions: evidence must not depend on when they are read.
        if watermark_ms is None or revision_ms:
            return not revision_ms
        oldest = floor_to(watermark_ms, SPAN_MS) - self._policy.evidence_ms
        return end_ms > oldest
