"""What happens to panes as they age: merged in memory, moved into days, and dropped.

All of it is a function of the watermark that is stored already, one message behind: whoever
handles a message again after a crash, or beside a new owner, does the same and writes the same.
"""

from servicelevel.application.evaluate.book import Book
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.records import dump_span, origin_key, span_key
from servicelevel.application.evaluate.series import Series
from servicelevel.application.ports import StateStore
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.panes import Span
from servicelevel.domain.time import MINUTE_MS, floor_to


class Aging:
    """Call `age` before anything else is done with a message."""

    def __init__(self, book: Book, state: StateStore, policy: EvaluationPolicy) -> None:
        self._book = book
        self._state = state
        self._policy = policy
        self._aged_to_ms: int | None = None
        self._merged_to_ms: int | None = None

    def age(self, watermark_ms: int | None, offset: int) -> None:
        """Merge, settle, move and drop what is old enough; nothing within the same minute."""
        if watermark_ms is None or floor_to(watermark_ms, MINUTE_MS) == self._aged_to_ms:
            return
        self._aged_to_ms = minute = floor_to(watermark_ms, MINUTE_MS)
        quarter = floor_to(watermark_ms, SPAN_MS)
        for judged in self._book:
            for series in judged.every():
                series.panes.settle(minute)
                if quarter != self._merged_to_ms:
                    series.coarsen(quarter)
                    self._expire(series, quarter)
                self._move(series, watermark_ms, offset)
        self._merged_to_ms = quarter

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
        for span in series.expired(quarter_ms, self._policy.retention_ms):
            series.panes.drop(span)
            self._state.delete(span_key(series, span))
