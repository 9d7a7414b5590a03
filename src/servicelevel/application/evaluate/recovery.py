"""Puts the stored state of a partition back into its series and alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from servicelevel.application.evaluate.book import Book
from servicelevel.application.evaluate.kept import Kept
from servicelevel.application.evaluate.records import (
    PROGRESS_KEY,
    alert_key,
    damaged,
    load_origin,
    load_progress,
    load_span,
    load_told,
    load_transition,
    load_values,
    rest_key,
    span_key,
)
from servicelevel.application.ports import StateStore, StoredEntry
from servicelevel.domain.alerts import Alert, Identity
from servicelevel.domain.holding import Holding
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.outputs import AlertKind
from servicelevel.errors import StateError

_DAMAGES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_KINDS: Mapping[str, AlertKind] = {"w": "warning", "b": "breach"}


@dataclass(frozen=True, slots=True)
class Recovered:
    """Progress as it was stored last, and the alerts of what is watched no more."""

    offset: int
    watermark_ms: int | None
    told: int
    ledger: Ledger
    unwatched: list[Kept] = field(default_factory=list)


def recover(book: Book, state: StateStore, counts_partitions: int) -> Recovered | None:
    """Fill `book` from `state`; None where nothing was stored. Raises StateError."""
    stored = state.get(PROGRESS_KEY)
    progress = None
    if stored is not None:
        try:
            found = load_progress(stored.value, counts_partitions)
        except _DAMAGES as error:
            raise _damaged(PROGRESS_KEY, error) from error
        progress = Recovered(stored.offset, *found)
    entries = _load_all_series(book, state)
    _drop_moved_spans(book, state)
    every = _load_alerts(book, entries)
    _drop_orphans(every, state, entries)
    if progress is not None:
        watched = {id(kept) for _, watch in book.watches() for kept in watch.kept()}
        progress.unwatched.extend(kept for kept in every if id(kept) not in watched)
        for judged in book.judged():
            judged.start(progress.watermark_ms)
    return progress


def _load_all_series(book: Book, state: StateStore) -> dict[str, StoredEntry]:
    """Put all series in place; what is of something else. Panes are many: none is held twice."""
    entries: dict[str, StoredEntry] = {}
    for key, entry in state.scan():
        try:
            if not _load_series(book, key, entry):
                entries[key] = entry
        except _DAMAGES as error:
            raise _damaged(key, error) from error
    return entries


def _damaged(key: str, error: Exception) -> StateError:
    return damaged(key, f"has no value of ours ({error!r})")


def _load_series(book: Book, key: str, entry: StoredEntry) -> bool:
    """Put an entry of a series into it; False where it is of something else."""
    letter, _, rest = key.partition("/")
    if letter == "f":
        indicator, _, group = rest.partition("/")
        book.row(indicator, group).series.panes.first_ms = entry.value
    elif letter == "o":
        end, indicator, group = rest.split("/", 2)
        load_origin(book.row(indicator, group).series, int(end), entry)
    elif letter == "v":
        end, indicator, group = rest.split("/", 2)
        load_values(book.row(indicator, group).series, int(end), entry)
    elif letter in ("q", "d"):
        end, indicator, group = rest.split("/", 2)
        load_span(book.row(indicator, group).series, letter, int(end), entry)
    else:
        return False
    return True


def _drop_moved_spans(book: Book, state: StateStore) -> None:
    """A span whose move was stored, but not its removal, is in its day already."""
    for row in book.rows():
        series = row.series
        for span in list(series.panes.spans.values()):
            day = series.panes.day_of(span)
            if day is not None and span.end_ms <= day.moved_to_ms:
                series.panes.drop(span)
                state.delete(span_key(series, span))


def _load_alerts(book: Book, entries: Mapping[str, StoredEntry]) -> list[Kept]:
    """All alerts that are stored or watched, those of what is watched no more included."""
    watched = {
        alert_key(kept.alert.identity): kept for _, watch in book.watches() for kept in watch.kept()
    }
    for key, entry in entries.items():
        letter, _, rest = key.partition("/")
        if letter in _KINDS:
            kept = watched.get(key)
            if kept is None:
                identity = Identity(_KINDS[letter], *rest.split("/", 2))
                kept = watched[key] = Kept(Alert(identity))
            try:
                _load_alert(kept, entry, entries)
            except _DAMAGES as error:
                raise _damaged(key, error) from error
    return list(watched.values())


def _load_alert(kept: Kept, entry: StoredEntry, entries: Mapping[str, StoredEntry]) -> None:
    value = entry.value
    kept.alert = Alert.load(kept.alert.identity, value["alert"])
    kept.offset = entry.offset
    kept.parts = value["parts"]
    kept.last = None if value["last"] is None else load_transition(value["last"])
    kept.holdings = {name: Holding.load(raw) for name, raw in value["holdings"].items()}
    kept.service = value["service"]
    pending = list(value["pending"])
    for number in range(kept.parts):
        part = entries.get(rest_key(kept.alert.identity, entry.offset, number))
        if part is not None:  # a former owner that was further may have told and removed it
            pending += part.value
    kept.pending = [(at, load_told(each)) for at, each in pending]


def _drop_orphans(every: list[Kept], state: StateStore, entries: Mapping[str, StoredEntry]) -> None:
    """What a crash left of storing an alert: parts that its entry does not name."""
    named = {
        rest_key(kept.alert.identity, kept.offset, number)
        for kept in every
        for number in range(kept.parts)
    }
    for key in entries:
        if key.startswith("t/") and key not in named:
            state.delete(key)
