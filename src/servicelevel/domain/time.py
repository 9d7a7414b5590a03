"""Time as integer milliseconds since the Unix epoch, and the grid of panes.

A pane is named by its end: the pane `e` of length `p` holds the events in `(e − p, e]`, as a
window `(t − w, t]` does, so that windows are whole panes and neighbours share no event.
"""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def pane_end(time_ms: int, pane_ms: int) -> int:
    """The end of the pane that holds `time_ms`: the next multiple of `pane_ms`, or itself."""
    return -(-time_ms // pane_ms) * pane_ms


def floor_to(time_ms: int, step_ms: int) -> int:
    """The last multiple of `step_ms` that is not after `time_ms`."""
    return time_ms // step_ms * step_ms


def duration_text(duration_ms: int) -> str:
    """The shortest whole form: 3600000 is "1h", 90000 is "90s"."""
    for unit_ms, unit in _UNITS:
        if duration_ms % unit_ms == 0:
            return f"{duration_ms // unit_ms}{unit}"
    return f"{duration_ms}ms"


_UNITS = ((DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (SECOND_MS, "s"))
