"""What happens to panes as they age: merged in memory, moved into days, and dropped.

All of it is a function of the watermark that is stored already, one message behind: whoever
handles a message again after a crash, or beside a new owner, does the same and writes the same.
"""

from servicelevel.application.evaluate.book import TOTAL, Book, Row
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.records import (
    dump_span,
    first_key,
    origin_key,
    span_key,
    values_key,
)
from servicelevel.application.evaluate.series import Series
from servicelevel.application.ports import StateStore
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.span import Span
from servicelevel.domain.time import MINUTE_MS, floor_to


class Aging:
    """Call `age` before anything else is done with a message."""

    def __init__(self, book: Book, state: StateStore, policy: EvaluationPolicy) -> None:
        self._book = book
        self._state = state
        self._policy = policy
        self._aged_to_ms: int | None = None
        self._merged_to_ms: int | None = None

    def age(self, watermark_ms: int | None, offset: int) -> list[Row]:
        """Merge, settle, move and drop what is old enough; nothing within the same minute.

        Returns the groups that had no event for so long that they are to be forgotten.
        """
        if watermark_ms is None or floor_to(watermark_ms, MINUTE_MS) == self._aged_to_ms:
            return []
        self._aged_to_ms = minute = floor_to(watermark_ms, MINUTE_MS)
        quarter = floor_to(watermark_ms, SPAN_MS)
        is_new_quarter = quarter != self._merged_to_ms
        for row in self._book.rows():
            row.series.settle(minute)
            if is_new_quarter:
                row.series.coarsen(quarter)
                self._expire(row.series, quarter)
            self._move(row.series, watermark_ms, offset)
        self._merged_to_ms = quarter
        return self._silent(quarter) if is_new_quarter else []

    def remove(self, series: Series) -> None:
        """Delete all that is stored of a series."""
        for span in (*series.panes.spans.values(), *series.panes.days.values()):
            self._state.delete(span_key(series, span))
        for end in series.origins:
            self._state.delete(origin_key(series, end))
        for end in series.values:
            self._state.delete(values_key(series, end))
        self._state.delete(first_key(series))

    def _silent(self, quarter_ms: int) -> list[Row]:
        return [
            row
            for row in self._book.rows()
            if self._is_silent(row, quarter_ms)
            and all(self._is_silent(other, quarter_ms) for other in self._book.family(row))
        ]

    def _is_silent(self, row: Row, quarter_ms: int) -> bool:
        series = row.series
        if series.group == TOTAL:
            return False
        last_ms = series.panes.last_end() or series.panes.first_ms
        return last_ms is None or last_ms <= quarter_ms - self._book.ttl_ms(series)

    def _move(self, series: Series, watermark_ms: int, offset: int) -> None:
        days: dict[int, Span] = {}
        moved = series.movable(watermark_ms)
        for span in moved:
            day = series.move(span, watermark_ms, offset)
            days[day.end_ms] = day
        for day in days.values():
            self._state.put(span_key(series, day), offset, dump_span(day))
        for span in moved:
            self._state.delete(span_key(series, span))

    def _expire(self, series: Series, quarter_ms: int) -> None:
        for end in series.forget_origins(quarter_ms - self._policy.evidence_ms):
            self._state.delete(origin_key(series, end))
        for end in series.forget_values(quarter_ms - self._policy.evidence_ms):
            self._state.delete(values_key(series, end))
        for span in series.expired(quarter_ms, self._policy.retention_ms):
            series.panes.drop(span)
            self._state.delete(span_key(series, span))
