"""One indicator and group: its panes, where its bad events came from, and its running windows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lcm
from zlib import crc32

from servicelevel.application.cells import GrowingEvidence, named_dimensions
from servicelevel.domain.counts import BadEvidence
from servicelevel.domain.ladder import SPAN_MS, Ladder
from servicelevel.domain.panes import Panes
from servicelevel.domain.span import Counts, Span
from servicelevel.domain.time import DAY_MS, MINUTE_MS, floor_to, pane_end
from servicelevel.domain.windows import Windows

MAX_NAMED = 128
"""Values told apart in an origin; of more, the most frequent, so that an entry stays small."""


@dataclass(slots=True)
class Values:
    """A sketch of the values of one slice, and the counts offset that this has."""

    sketch: dict[int, int] = field(default_factory=dict)
    offset: int = -1


@dataclass(slots=True)
class Origin:
    """Where a pane's bad events came from, and the counts offset that this has."""

    evidence: GrowingEvidence = field(default_factory=GrowingEvidence)
    offset: int = -1


class Series:
    """Panes of pane length `pane_ms`, and the `windows` that watch them, kept in step.

    `origins` are kept by pane end. `touched` and `touched_origins` are what the message in hand has
    changed, for the caller to store and clear. `grid_ms` is a multiple of the lengths of all units
    that are judged.
    """

    def __init__(self, indicator: str, group: str, pane_ms: int, ladder: Ladder) -> None:
        self.indicator = indicator
        self.group = group
        self.pane_ms = pane_ms
        self.panes = Panes(ladder, pane_ms)
        self.windows: list[Windows] = []
        self.grid_ms = pane_ms
        self.reach_ms = 0
        self.origins: dict[int, Origin] = {}
        self.touched: dict[tuple[int, int], Span] = {}
        self.touched_origins: dict[int, Origin] = {}
        self.values: dict[int, Values] = {}  # by the end of the slice
        self.touched_values: dict[int, Values] = {}
        self.slice_ms = pane_ms
        self._moved_until_ms: int | None = None
        name = f"{indicator}/{group}".encode()
        self._stagger_ms = crc32(name) % SPAN_MS  # not all series move at one moment

    def watched(self, step_ms: int, reach_ms: int) -> None:
        """Units of `step_ms` are judged, over windows that reach back so far."""
        self.grid_ms = lcm(self.grid_ms, step_ms)
        self.reach_ms = max(self.reach_ms, reach_ms)

    def begin_at(self, end_ms: int) -> bool:
        """An event counted at this pane end; whether none had so early."""
        first = self.panes.first_ms
        if first is not None and first <= end_ms:
            return False
        self.panes.first_ms = end_ms
        for windows in self.windows:
            if windows.view.fills and end_ms <= windows.at_ms:
                windows.rebuild()  # more slices are judged now
        return True

    def add(
        self,
        pane_end_ms: int,
        counts: Counts,
        offset: int,
        watermark_ms: int | None,
        revision_ms: int = 0,
    ) -> None:
        """Count events of a pane, unless its span has the message at `offset` already.

        Those of a revision count at pane ends from `revision_ms` on (0: no revision).
        """
        at_ms = watermark_ms if watermark_ms is not None else pane_end_ms
        until = self.moved_until_ms(at_ms)
        span, end_ms = self.panes.locate(pane_end_ms, at_ms, until)
        if span.offset >= offset:
            return
        self.touched[(span.end_ms, span.length_ms)] = span
        late = [w for w in self.windows if self._is_in(w, end_ms, revision_ms)]
        units = [pane_end(end_ms, w.view.step_ms) for w in late]
        before = [w.view.unit(unit, w.at_ms) for w, unit in zip(late, units, strict=True)]
        settled_ms = floor_to(at_ms, self.grid_ms) if watermark_ms is not None else -1
        if revision_ms > settled_ms and revision_ms:
            span.revise(end_ms, revision_ms, *counts)
            self.panes.note_revised(span)
        else:
            span.add(end_ms, *counts)
        for w, unit, was in zip(late, units, before, strict=True):
            now = w.view.unit(unit, w.at_ms)
            w.revise(unit, now[0] - was[0], now[1] - was[1])

    @staticmethod
    def _is_in(windows: Windows, end_ms: int, since_ms: int) -> bool:
        """Whether these windows have judged a unit with what comes into this pane."""
        return pane_end(end_ms, windows.view.step_ms) <= windows.at_ms >= since_ms

    def settle(self, until_ms: int) -> None:
        """Make revisions part of their panes, as far as all windows count them."""
        self.panes.settle(floor_to(until_ms, self.grid_ms))

    def first_counted_ms(self) -> int | None:
        """The first pane end at which something counts."""
        starts = [since for _, since, _ in self.panes.revisions()]
        if (first := self.panes.next_after(-(1 << 62))) is not None:
            starts.append(first)
        return min(starts, default=None)

    def add_origin(self, end_ms: int, evidence: BadEvidence, offset: int) -> None:
        """Note where bad events of a pane came from, unless it has the message already."""
        origin = self.origins.setdefault(end_ms, Origin())
        if origin.offset < offset:
            origin.evidence.add(evidence)
            if len(origin.evidence.dimensions) > MAX_NAMED:
                origin.evidence.dimensions = named_dimensions(origin.evidence.dimensions)
            self.touched_origins[end_ms] = origin

    def add_values(self, end_ms: int, sketch: Mapping[int, int], offset: int) -> None:
        """Note the values of events in a pane, unless their slice has the message already."""
        end_ms = pane_end(end_ms, self.slice_ms)
        values = self.values.setdefault(end_ms, Values())
        if values.offset < offset:
            for bucket, count in sketch.items():
                values.sketch[bucket] = values.sketch.get(bucket, 0) + count
            self.touched_values[end_ms] = values

    def last_values(self, at_ms: int) -> tuple[int, Mapping[int, int]] | None:
        """The end and the sketch of the last complete slice with events, as far as it is kept."""
        end_ms = max((end for end in self.values if end <= at_ms), default=None)
        return None if end_ms is None else (end_ms, self.values[end_ms].sketch)

    def forget_values(self, until_ms: int) -> list[int]:
        """Drop the sketches of slices that end up to then; their ends."""
        old = [end for end in self.values if end <= until_ms]
        for end in old:
            del self.values[end]
        return old

    def forget_origins(self, until_ms: int) -> list[int]:
        """Drop the origins of panes that end up to then; their ends."""
        old = [end for end in self.origins if end <= until_ms]
        for end in old:
            del self.origins[end]
        return old

    def coarsen(self, watermark_ms: int) -> None:
        """Merge panes of what is old as a whole; no sum changes."""
        for span in (*self.panes.spans.values(), *self.panes.days.values()):
            span.coarsen(self.panes.ladder.kept_ms(span.end_ms, watermark_ms))

    def moved_until_ms(self, watermark_ms: int) -> int:
        """Spans that end up to here are in their days; a function of the watermark's minute."""
        age = self.panes.ladder.rungs[0].until_age_ms  # more entries cost more than longer ones
        return floor_to(floor_to(watermark_ms, MINUTE_MS) - age - self._stagger_ms, SPAN_MS)

    def movable(self, watermark_ms: int) -> list[Span]:
        """The spans that are to be moved into their days now, in order."""
        until = self.moved_until_ms(watermark_ms)
        if until == self._moved_until_ms:
            return []
        self._moved_until_ms = until
        return [self.panes.spans[end] for end in sorted(self.panes.spans) if end <= until]

    def move(self, span: Span, watermark_ms: int, offset: int) -> Span:
        """Move a span into its day, which has all messages before `offset`; the day."""
        day_end = pane_end(span.end_ms, DAY_MS)
        day = self.panes.days.get(day_end)
        self.panes.drop(span)
        if day is None:
            day = Span(day_end, DAY_MS)
            self.panes.put(day)
        resolution = self.panes.ladder.kept_ms(span.end_ms, watermark_ms)
        for end, (good, total) in span.panes():
            day.add(pane_end(end, resolution), good, total)
        for (end, since), counts in span.revisions.items():
            day.revise(pane_end(end, resolution), since, *counts)
        self.panes.note_revised(day)
        day.moved_to_ms = max(day.moved_to_ms, span.end_ms)
        day.offset = max(day.offset, offset - 1)
        return day

    def expired(self, watermark_ms: int, retention_ms: int) -> list[Span]:
        """Spans and days that no window can reach any more."""
        oldest = watermark_ms - self.kept_ms(retention_ms)
        every = (*self.panes.spans.values(), *self.panes.days.values())
        return [span for span in every if span.end_ms <= oldest]

    def kept_ms(self, retention_ms: int) -> int:
        """How long panes are kept: as long as any window can reach, and a day."""
        return max(retention_ms, self.reach_ms) + DAY_MS

    def evidence(self, after_ms: int, to_ms: int) -> GrowingEvidence:
        """Where the bad events in `(after, to]` came from, as far as it is kept."""
        merged = GrowingEvidence()
        for end in sorted(self.origins):
            if after_ms < end <= to_ms:
                merged.add(self.origins[end].evidence)
        return merged
