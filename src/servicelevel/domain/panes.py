"""The panes of one series, kept in spans and days, summed over any aligned interval.

A span holds the panes of 15 minutes while they are young. Old spans are moved into days, so
that a long window is a few entries. Counts are integers and never approximate; only the
resolution gets coarser with age.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from servicelevel.domain.ladder import SPAN_MS, Ladder
from servicelevel.domain.span import Counts, Span
from servicelevel.domain.time import DAY_MS, pane_end


class Panes:
    """All panes of one series: `spans` by end, and `days` by end.

    `first_ms` is the first pane end at which an event counted (None: none yet).
    """

    def __init__(self, ladder: Ladder, pane_ms: int) -> None:
        self.ladder = ladder
        self.pane_ms = pane_ms
        self.first_ms: int | None = None
        self.spans: dict[int, Span] = {}
        self.days: dict[int, Span] = {}
        self._order: list[tuple[int, int]] = []  # (end, length) of all spans and days
        self._revised: set[tuple[int, int]] = set()  # those that may have revisions

    def put(self, span: Span) -> None:
        """Take in a stored span or day."""
        (self.days if span.length_ms == DAY_MS else self.spans)[span.end_ms] = span
        insort(self._order, (span.end_ms, span.length_ms))
        self.note_revised(span)

    def note_revised(self, span: Span) -> None:
        """Call it when a span was given revisions."""
        if span.revisions:
            self._revised.add((span.end_ms, span.length_ms))

    def revisions(self) -> list[tuple[int, int, Counts]]:
        """(pane end, since, counts) of all revisions that are not part of their panes yet."""
        if not self._revised:
            return []
        spans = [self._span(*place) for place in self._revised]
        return [(*key, counts) for span in spans for key, counts in span.revisions.items()]

    def revised(
        self, after_ms: int, to_ms: int, known_ms: int, known_before_ms: int = -1
    ) -> Counts:
        """Counts of the `revisions` of panes that end in `(after, to]`.

        Of those that count since a time in `(known_before, known]`.
        """
        good = total = 0
        for end, since, counts in self.revisions():
            if after_ms < end <= to_ms and known_before_ms < since <= known_ms:
                good += counts[0]
                total += counts[1]
        return good, total

    def settle(self, until_ms: int) -> None:
        """As `Span.settle`, for all spans and days."""
        for place in list(self._revised):
            span = self._span(*place)
            span.settle(until_ms)
            if not span.revisions:
                self._revised.discard(place)

    def drop(self, span: Span) -> None:
        """Forget a span or day."""
        del (self.days if span.length_ms == DAY_MS else self.spans)[span.end_ms]
        self._order.remove((span.end_ms, span.length_ms))
        self._revised.discard((span.end_ms, span.length_ms))

    def day_of(self, span: Span) -> Span | None:
        """The day that a span belongs to, where there is one."""
        return self.days.get(pane_end(span.end_ms, DAY_MS))

    def locate(self, end_ms: int, at_ms: int, moved_until_ms: int) -> tuple[Span, int]:
        """The span or day that a pane belongs to at `at_ms`, and the end it has there.

        Spans that end up to `moved_until` are in their days.
        """
        span_end = pane_end(end_ms, SPAN_MS)
        kept_end = pane_end(end_ms, self.ladder.kept_ms(span_end, at_ms))
        if span_end > moved_until_ms or span_end in self.spans:
            return self._or_new(self.spans, span_end, SPAN_MS), kept_end
        return self._or_new(self.days, pane_end(end_ms, DAY_MS), DAY_MS), kept_end

    def _or_new(self, held: dict[int, Span], end_ms: int, length_ms: int) -> Span:
        span = held.get(end_ms)
        if span is None:
            span = Span(end_ms, length_ms)
            self.put(span)
        return span

    def sum(self, after_ms: int, to_ms: int) -> Counts:
        """Counts of the panes with an end in `(after, to]`; both are pane ends."""
        good = total = 0
        for span in self._overlapping(after_ms, to_ms):
            counts = span.sum(after_ms, to_ms)
            good += counts[0]
            total += counts[1]
        return good, total

    def between(self, after_ms: int, to_ms: int) -> Iterator[tuple[int, Counts]]:
        """(end, counts) of the panes with an end in `(after, to]`, span by span."""
        for span in self._overlapping(after_ms, to_ms):
            yield from span.between(after_ms, to_ms)

    def next_after(self, after_ms: int) -> int | None:
        """The end of the first pane that ends after this time."""
        found: int | None = None
        for end_ms, length_ms in self._order[bisect_left(self._order, (after_ms + 1, 0)) :]:
            if found is not None and end_ms - DAY_MS >= found:
                break
            if found is not None and end_ms - length_ms >= found:
                continue
            first = self._span(end_ms, length_ms).first_after(after_ms)
            if first is not None and (found is None or first < found):
                found = first
        return found

    def last_end(self) -> int | None:
        """The end of the last pane that has events, or a revision; None where there is none."""
        found: int | None = None
        for end_ms, length_ms in reversed(self._order):
            if found is not None and end_ms <= found:
                break
            last = self._span(end_ms, length_ms).last_end()
            if last is not None and (found is None or last > found):
                found = last
        return found

    def _span(self, end_ms: int, length_ms: int) -> Span:
        return (self.days if length_ms == DAY_MS else self.spans)[end_ms]

    def _overlapping(self, after_ms: int, to_ms: int) -> Iterator[Span]:
        span_end = pane_end(after_ms + 1, SPAN_MS)
        if to_ms <= span_end:
            if (span := self.spans.get(span_end)) is not None:
                yield span
            if (day := self.days.get(pane_end(span_end, DAY_MS))) is not None:
                yield day
            return
        for end_ms, length_ms in self._order[bisect_left(self._order, (after_ms + 1, 0)) :]:
            if end_ms - DAY_MS >= to_ms:
                break
            if end_ms - length_ms < to_ms:
                yield self._span(end_ms, length_ms)
