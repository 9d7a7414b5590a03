"""Puts the stored state of a partition back into its series and alerts."""

from collections.abc import Mapping
from dataclasses import dataclass

from servicelevel.application.evaluate.book import Book
from servicelevel.application.evaluate.records import (
    PROGRESS_KEY,
    alert_key,
    load_origin,
    load_progress,
    load_span,
    load_transition,
    rest_key,
    span_key,
)
from servicelevel.application.evaluate.watch import Kept
from servicelevel.application.ports import StateStore, StoredEntry
from servicelevel.domain.alerts import Alert
from servicelevel.domain.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Recovered:
    """Progress as it was stored last."""

    offset: int
    watermark_ms: int | None
    told: int
    ledger: Ledger


def recover(book: Book, state: StateStore) -> Recovered | None:
    """Fill `book` from `state`; None where nothing was stored. Raises StateError."""
    entries = dict(state.scan())
    stored = entries.get(PROGRESS_KEY)
    progress = None
    if stored is not None:
        progress = Recovered(stored.offset, *load_progress(stored.value))
    for key, entry in entries.items():
        _load_series(book, key, entry)
    _drop_moved_spans(book, state)
    for _, watch in book.watches():
        for kept in watch.kept():
            alert = entries.get(alert_key(kept.alert.identity))
            if alert is not None:
                _load_alert(kept, alert, entries)
    _drop_orphans(book, state, entries)
    if progress is not None:
        for judged in book:
            for series in judged.every():
                series.start_windows(progress.watermark_ms)
    return progress


def _load_series(book: Book, key: str, entry: StoredEntry) -> None:
    letter, _, rest = key.partition("/")
    if letter == "f":
        indicator, _, group = rest.partition("/")
        book.series(indicator, group).first_ms = entry.value
    elif letter == "o":
        end, indicator, group = rest.split("/", 2)
        load_origin(book.series(indicator, group), int(end), entry)
    elif letter in ("q", "d"):
        end, indicator, group = rest.split("/", 2)
        load_span(book.series(indicator, group), letter, int(end), entry)


def _drop_moved_spans(book: Book, state: StateStore) -> None:
    """A span whose move was stored, but not its removal, is in its day already."""
    for judged in book:
        for series in judged.every():
            for span in list(series.panes.spans.values()):
                day = series.panes.day_of(span)
                if day is not None and span.end_ms <= day.moved_to_ms:
                    series.panes.drop(span)
                    state.delete(span_key(series, span))


def _load_alert(kept: Kept, entry: StoredEntry, entries: Mapping[str, StoredEntry]) -> None:
    alert, pending, parts = entry.value
    kept.alert = Alert.load(kept.alert.identity, alert)
    kept.offset = entry.offset
    kept.parts = parts
    for number in range(parts):
        part = entries.get(rest_key(kept.alert.identity, entry.offset, number))
        if part is not None:  # a former owner that was further may have told and removed it
            pending += part.value
    kept.pending = [(at, load_transition(value)) for at, value in pending]


def _drop_orphans(book: Book, state: StateStore, entries: Mapping[str, StoredEntry]) -> None:
    """What a crash left of storing an alert: parts that its entry does not name."""
    named = {
        rest_key(kept.alert.identity, kept.offset, number)
        for _, watch in book.watches()
        for kept in watch.kept()
        for number in range(kept.parts)
    }
    for key in entries:
        if key.startswith("t/") and key not in named:
            state.delete(key)
