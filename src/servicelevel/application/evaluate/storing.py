"""Writes what a message changed: sums first, then alerts; progress is the caller's, and last."""

from servicelevel.application.evaluate.kept import Kept
from servicelevel.application.evaluate.records import (
    alert_key,
    dump_alert,
    dump_origin,
    dump_pending,
    dump_span,
    dump_values,
    origin_key,
    rest_key,
    span_key,
    values_key,
)
from servicelevel.application.evaluate.series import Series
from servicelevel.application.ports import StateStore


def store_series(state: StateStore, series: Series, offset: int) -> None:
    """Write the spans and origins that the message at `offset` touched."""
    for span in series.touched.values():
        span.offset = offset
        state.put(span_key(series, span), offset, dump_span(span))
    for end, origin in series.touched_origins.items():
        origin.offset = offset
        state.put(origin_key(series, end), offset, dump_origin(origin))
    for end, values in series.touched_values.items():
        values.offset = offset
        state.put(values_key(series, end), offset, dump_values(values))
    series.touched_values.clear()
    series.touched.clear()
    series.touched_origins.clear()


def store_alert(state: StateStore, kept: Kept, offset: int, told: int) -> None:
    """Write an alert; what was decided by messages up to `told` need not be told any more."""
    kept.pending = [(at, t) for at, t in kept.pending if at > told]
    identity = kept.alert.identity
    first, *rest = dump_pending(kept.pending)
    for number, part in enumerate(rest):
        state.put(rest_key(identity, offset, number), offset, part)
    state.put(alert_key(identity), offset, dump_alert(kept, first, len(rest)))
    remove_rest(state, kept, written=len(rest) if kept.offset == offset else 0)
    kept.parts = len(rest)
    kept.offset = offset
    kept.changed = False


def remove_alert(state: StateStore, kept: Kept) -> None:
    """Delete an alert that has nothing to tell any more."""
    remove_rest(state, kept)
    state.delete(alert_key(kept.alert.identity))


def remove_rest(state: StateStore, kept: Kept, written: int = 0) -> None:
    """Delete the further parts of an alert's entry, as it was stored last.

    But for the first ones, where these were just `written` anew.
    """
    for number in range(written, kept.parts):
        state.delete(rest_key(kept.alert.identity, kept.offset, number))
