"""Running sums of one series over its windows: what enters is added, what leaves is taken off."""

from collections.abc import Iterable

from servicelevel.domain.panes import ZERO, Counts, Panes


class Windows:
    """Sums over the windows of one series at `at_ms`, the pane end they were last moved to."""

    def __init__(self, panes: Panes, lengths_ms: Iterable[int], at_ms: int) -> None:
        self._panes = panes
        self.at_ms = at_ms
        self._edges = {w: panes.ladder.old_edge_ms(at_ms, w) for w in lengths_ms}
        self._sums = {
            w: _plus(panes.sum(edge, at_ms), panes.revised(edge, at_ms))
            for w, edge in self._edges.items()
        }

    def sums(self) -> dict[int, Counts]:
        """(good, total) by window length in ms, at `at_ms`."""
        return self._sums

    def revise(self, end_ms: int, good: int, total: int) -> None:
        """Counts were added to a pane; the windows that already hold it must follow."""
        if end_ms > self.at_ms:
            return
        for length, edge in self._edges.items():
            if edge < end_ms:
                had = self._sums[length]
                self._sums[length] = (had[0] + good, had[1] + total)

    def peek(self, to_ms: int, edge_of_ms: int | None = None) -> dict[int, Counts]:
        """The sums at a later pane end, leaving the windows where they are.

        The old edges are those of `edge_of_ms`, which may lie within the last pane.
        """
        return self._moved(to_ms, edge_of_ms if edge_of_ms is not None else to_ms)[1]

    def advance(self, to_ms: int) -> None:
        """Move all windows to a later pane end."""
        if to_ms > self.at_ms:
            self._edges, self._sums = self._moved(to_ms, to_ms)
            self.at_ms = to_ms

    def next_change(self, limit_ms: int) -> int:
        """The first pane end after `at_ms` at which a sum can differ, at most `limit_ms`."""
        pane_ms = self._panes.pane_ms
        if self._panes.sum(self.at_ms, self.at_ms + pane_ms) != ZERO:
            return min(self.at_ms + pane_ms, limit_ms)
        revisions = self._panes.revisions()
        first = self._panes.next_after(self.at_ms)
        sinces = [since for _, since, _ in revisions if since > self.at_ms]
        change = min((limit_ms, *sinces) if first is None else (first, limit_ms, *sinces))
        for length, edge in self._edges.items():
            if self._sums[length] == ZERO:
                continue
            ends = [end for end, _, _ in revisions if end > edge]
            if (leaving := self._panes.next_after(edge)) is not None:
                ends.append(leaving)
            if ends:
                change = min(change, max(self._leaves(min(ends), length), self.at_ms + pane_ms))
        return change

    def _leaves(self, end_ms: int, length_ms: int) -> int:
        # The old edge moves in steps, so a pane leaves when the edge's next step reaches it.
        step = self._panes.ladder.resolution_ms(length_ms)
        pane_ms = self._panes.pane_ms
        return -(-(-(-end_ms // step) * step + length_ms) // pane_ms) * pane_ms

    def _moved(self, to_ms: int, edge_of_ms: int) -> tuple[dict[int, int], dict[int, Counts]]:
        entered = self._panes.sum(self.at_ms, to_ms)
        edges: dict[int, int] = {}
        sums: dict[int, Counts] = {}
        for length, edge in self._edges.items():
            new_edge = self._panes.ladder.old_edge_ms(edge_of_ms, length)
            good, total = self._sums[length]
            left = self._panes.sum(edge, new_edge) if new_edge > edge else ZERO
            edges[length] = new_edge
            sums[length] = (good + entered[0] - left[0], total + entered[1] - left[1])
        if self._panes.revisions():
            for length, edge in self._edges.items():
                before = self._panes.revised(edge, self.at_ms)
                after = self._panes.revised(edges[length], to_ms)
                sums[length] = _plus(sums[length], (after[0] - before[0], after[1] - before[1]))
        return edges, sums


def _plus(a: Counts, b: Counts) -> Counts:
    return a[0] + b[0], a[1] + b[1]
