"""Events parted by pane, and the keys of the cells that they count for."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from servicelevel.application.cells import CellKey
from servicelevel.application.service_plan import Series
from servicelevel.domain.time import pane_end
from servicelevel.schemas.events import Event


class Pane(NamedTuple):
    """A pane of the plan; revisions count since a later one (0: on time)."""

    end_ms: int
    since_ms: int = 0


def cell_key(series: Series, pane: Pane) -> CellKey:
    """The cell's key; the plan's pane lies within one of the indicator's."""
    indicator = series.compiled.indicator
    end_ms = pane_end(pane.end_ms, indicator.pane_ms)
    # The indicator's longer pane may be incomplete still: then this is no revision of it.
    is_revision = end_ms < pane.since_ms
    since_ms = pane_end(pane.since_ms, indicator.pane_ms) if is_revision else 0
    return indicator.id, series.group, end_ms, since_ms


def by_pane(
    events: Sequence[Event], offsets: Sequence[int], times: Sequence[int], pane_ms: int
) -> Iterator[tuple[int, Sequence[Event], Sequence[int]]]:
    """Ends of panes, each with its events and their offsets."""
    ordered = sorted(times)
    end, last = pane_end(ordered[0], pane_ms), pane_end(ordered[-1], pane_ms)
    if end == last:
        yield end, events, offsets
    elif times == ordered:
        start = 0
        while start < len(times):
            end = pane_end(times[start], pane_ms)
            stop = bisect_right(times, end, start)
            yield end, events[start:stop], offsets[start:stop]
            start = stop
    else:
        found: dict[int, list[int]] = {}
        for i, time in enumerate(times):
            found.setdefault(pane_end(time, pane_ms), []).append(i)
        for end, own in found.items():
            yield end, [events[i] for i in own], [offsets[i] for i in own]
