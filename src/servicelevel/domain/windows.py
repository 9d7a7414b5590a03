"""Running sums of one view over its windows: what enters is added, what leaves is taken off."""

from collections.abc import Iterable

from servicelevel.domain.lens import View
from servicelevel.domain.span import ZERO, Counts
from servicelevel.domain.time import floor_to, pane_end


class Windows:
    """Sums over the windows of one view at `at_ms`, the end of a unit they were last moved to.

    Windows are told by their lengths in ms; `PERIOD` is the calendar's.
    """

    def __init__(self, view: View, lengths_ms: Iterable[int], at_ms: int) -> None:
        self.view = view
        self.at_ms = floor_to(at_ms, view.step_ms)
        self._edges = {w: view.old_edge_ms(self.at_ms, w) for w in lengths_ms}
        self._sums: dict[int, Counts] = {}
        self.rebuild()

    def rebuild(self) -> None:
        """Add up the windows anew from the panes."""
        at_ms = self.at_ms
        self._sums = {w: self.view.sum(edge, at_ms, at_ms) for w, edge in self._edges.items()}

    def sums(self) -> dict[int, Counts]:
        """(good, total) by window at `at_ms`, of the units that have events."""
        return self._sums

    def filled(self) -> dict[int, Counts]:
        """As `sums`, with empty units as the lens judges them."""
        if not self.view.fills:
            return self._sums
        return {
            w: self.view.filled(self._sums[w], edge, self.at_ms) for w, edge in self._edges.items()
        }

    def revise(self, end_ms: int, good: int, total: int) -> None:
        """A unit that ended by `at_ms` counts so much more; the windows that hold it follow."""
        for length, edge in self._edges.items():
            if edge < end_ms:
                had = self._sums[length]
                self._sums[length] = (had[0] + good, had[1] + total)

    def peek(self, to_ms: int, edge_of_ms: int | None = None) -> "Windows":
        """The windows at a later unit's end, leaving these where they are.

        The old edges are those of `edge_of_ms`, which may lie within the last unit.
        """
        made = Windows.__new__(Windows)
        made.view, made.at_ms = self.view, max(to_ms, self.at_ms)
        edge_of_ms = edge_of_ms if edge_of_ms is not None else made.at_ms
        made._edges, made._sums = self._moved(made.at_ms, edge_of_ms)
        return made

    def advance(self, to_ms: int) -> None:
        """Move all windows to a later unit's end."""
        if to_ms > self.at_ms:
            self._edges, self._sums = self._moved(to_ms, to_ms)
            self.at_ms = to_ms

    def is_revised_by(self, to_ms: int) -> bool:
        """Whether, on the way there, a unit gets other that was complete before and is held."""
        revisions = self.view.panes.revisions()
        if not revisions:
            return False
        oldest = min(self.view.old_edge_ms(to_ms, w) for w in self._edges)
        ends = ((pane_end(end, self.view.step_ms), since) for end, since, _ in revisions)
        return any(self.at_ms < since <= to_ms and oldest < end < since for end, since in ends)

    def edge(self, length_ms: int) -> int:
        """A window holds the units that end after this time."""
        return self._edges[length_ms]

    def is_corrected(self, length_ms: int) -> bool:
        """Whether a correction touches a window."""
        edge = self._edges[length_ms]
        stretches = self.view.lens.stretches
        return any(each.from_ms < self.at_ms and each.to_ms > edge for each in stretches)

    def is_silent(self, length_ms: int) -> bool:
        """Whether nothing came in a window where something was to be expected.

        Nothing is to be expected in corrected time.
        """
        edge, panes = self._edges[length_ms], self.view.panes
        if self.is_corrected(length_ms):
            return False
        return panes.sum(edge, self.at_ms) == panes.revised(edge, self.at_ms, self.at_ms) == ZERO

    def wakes_ms(self, length_ms: int) -> int | None:
        """When the next corrected stretch comes into a window, or has left it."""
        found = [
            self.view.leaves_ms(each.to_ms, self.at_ms, length_ms)
            if each.from_ms < self.at_ms
            else pane_end(each.from_ms + 1, self.view.step_ms)
            for each in self.view.lens.stretches
        ]
        return min((each for each in found if each > self.at_ms), default=None)

    def next_change(self, limit_ms: int) -> int:
        """The first end of a unit after `at_ms` at which a sum can differ, at most `limit_ms`."""
        view, soonest = self.view, self.at_ms + self.view.step_ms
        if soonest >= limit_ms:
            return limit_ms
        if view.fills and not self._rests():
            return soonest
        if view.panes.sum(self.at_ms, soonest) != ZERO:
            return soonest
        revisions = view.panes.revisions()
        change = min(
            (pane_end(since, view.step_ms) for _, since, _ in revisions if since > self.at_ms),
            default=limit_ms,
        )
        if (entering := view.next_after(self.at_ms)) is not None:
            change = min(change, entering)
        for length, edge in self._edges.items():
            if self._sums[length] == ZERO:
                continue
            ends = [pane_end(end, view.step_ms) for end, _, _ in revisions if end > edge]
            if (leaving := view.next_after(edge)) is not None:
                ends.append(leaving)
            if ends:
                change = min(change, view.leaves_ms(min(ends), self.at_ms, length))
        return min(max(change, soonest), limit_ms)

    def _rests(self) -> bool:
        """Whether all windows are full of empty units, and go on so until one has events."""
        begin = self.view.begin_ms()
        if begin is None:
            return True
        if self.view.lens.calendar is not None or self.view.lens.stretches:
            return False
        return min(self._edges.values()) >= begin and all(
            counts == ZERO for counts in self._sums.values()
        )

    def _moved(self, to_ms: int, edge_of_ms: int) -> tuple[dict[int, int], dict[int, Counts]]:
        view, at_ms = self.view, self.at_ms
        entered = view.sum(at_ms, to_ms, to_ms)
        has_revisions = bool(view.panes.revisions())
        edges: dict[int, int] = {}
        sums: dict[int, Counts] = {}
        for length, edge in self._edges.items():
            new_edge = edges[length] = max(edge, view.old_edge_ms(edge_of_ms, length))
            if new_edge >= at_ms:
                sums[length] = view.sum(new_edge, to_ms, to_ms)
                continue
            good, total = _plus(self._sums[length], entered)
            left = view.sum(edge, new_edge, at_ms) if new_edge > edge else ZERO
            sums[length] = (good - left[0], total - left[1])
            if has_revisions:
                change = view.change(new_edge, at_ms, at_ms, to_ms)
                sums[length] = _plus(sums[length], change)
        return edges, sums


def _plus(a: Counts, b: Counts) -> Counts:
    return a[0] + b[0], a[1] + b[1]
