"""Stored state as an evaluator leaves it behind after many days of even traffic.

Made directly, since to count a quarter of a million panes for each group would take hours.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from servicelevel.application.evaluate.records import (
    PROGRESS_KEY,
    dump_progress,
    dump_span,
    first_key,
    span_key,
)
from servicelevel.application.evaluate.series import Series
from servicelevel.application.ports import StateStore
from servicelevel.domain.counts import Claim, Range
from servicelevel.domain.ladder import SPAN_MS, Ladder
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.span import Span
from servicelevel.domain.time import DAY_MS, pane_end

PANE_MS = 10_000
SOURCE = "requests/0"
BAD_EVERY = 97  # so that each window, and most quarters of an hour, have a bad event


def fill(
    state: StateStore,
    ladder: Ladder,
    names: Iterable[tuple[str, str]],
    at_ms: int,
    for_ms: int,
    counts_partitions: int = 1,
) -> int:
    """Write entries for each (indicator, group), one event in each pane; the next counts offset.

    The watermark is `at_ms`, the end of a quarter of an hour; the first event came `for_ms`
    earlier.
    """
    spans: list[Span] = []  # the same for all
    values: list[list[Any]] = []
    for indicator, group in names:
        series = Series(indicator, group, PANE_MS, ladder)
        if not spans:
            spans = list(_spans(series, ladder, at_ms, for_ms))
            values = [dump_span(span) for span in spans]
        state.put(first_key(series), 0, at_ms - for_ms + PANE_MS)
        for span, value in zip(spans, values, strict=True):
            state.put(span_key(series, span), 0, value)
    ledger = Ledger()
    ledger.claim(Claim(SOURCE, 1, "bench", 0, {"requests": 1}))
    ledger.apply(Range(SOURCE, 1, 0, 1, at_ms))
    state.put(PROGRESS_KEY, 0, dump_progress(at_ms, -1, ledger, counts_partitions))
    return 1


def _spans(series: Series, ladder: Ladder, at_ms: int, for_ms: int) -> Iterator[Span]:
    moved_ms = series.moved_until_ms(at_ms)
    days: dict[int, Span] = {}
    for span_end in range(at_ms - for_ms + SPAN_MS, at_ms + 1, SPAN_MS):
        resolution_ms = ladder.kept_ms(span_end, at_ms)
        if span_end <= moved_ms:
            day_end = pane_end(span_end, DAY_MS)
            span = days.setdefault(day_end, Span(day_end, DAY_MS))
            span.moved_to_ms = span_end
        else:
            span = Span(span_end, SPAN_MS)
        each = resolution_ms // PANE_MS
        for end in range(span_end - SPAN_MS + resolution_ms, span_end + 1, resolution_ms):
            number = end // PANE_MS
            bad = number // BAD_EVERY - (number - each) // BAD_EVERY
            span.add(end, each - bad, each)
        if span_end > moved_ms:
            yield span
    yield from days.values()
