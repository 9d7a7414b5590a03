"""How long counts are held before they are written to the log.

Writing seldom is cheap: each message is evaluated and stored for each series that it touches. So
what is late anyway may wait a little more. All sources of a combiner are written together: the one
with most records to be read decides, and counts of the others may wait with it.
"""

BACKLOG_RECORDS = 10_000
"""So many that are still to be read may come within one interval; of more, a source is behind."""

SHARE = 0.1
"""Of the time that counts are behind, for which they may be held."""

LONGEST_S = 5.0


def held_for_s(interval_s: float, lag: int, behind_ms: int | None) -> float:
    """Seconds from one flush to the next: `interval_s` or more.

    `lag` is the number of records still to be read, `behind_ms` how far the clock is ahead of the
    event time of what was read last (None: nothing was read yet).
    """
    if lag <= BACKLOG_RECORDS or behind_ms is None:
        return interval_s
    return max(interval_s, min(LONGEST_S, SHARE * behind_ms / 1000))
