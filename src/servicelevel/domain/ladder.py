"""The ladder: how fine panes are kept at which age, and where a window's old edge lies."""

from dataclasses import dataclass
from math import gcd

from servicelevel.domain.time import DAY_MS, MINUTE_MS, floor_to

KEPT_MS = 35 * DAY_MS
"""Panes are kept at least so long, and as long as any window needs them."""

SPAN_MS = 15 * MINUTE_MS
"""Panes are stored, merged and moved by whole spans; 15 minutes divide every zone's offset."""


@dataclass(frozen=True, slots=True)
class Rung:
    """Up to this age, panes are kept at this resolution."""

    until_age_ms: int
    resolution_ms: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs from young to old; beyond the last rung panes are `coarsest_ms` long.

    Resolutions divide each other and `SPAN_MS`; none is coarser than `coarsest_ms`.
    """

    rungs: tuple[Rung, ...]
    coarsest_ms: int = SPAN_MS

    def __post_init__(self) -> None:
        for finer, coarser in zip(self.rungs, self.rungs[1:], strict=False):
            if finer.until_age_ms >= coarser.until_age_ms:
                raise ValueError("rungs must be listed from young to old")
            if coarser.resolution_ms % finer.resolution_ms:
                raise ValueError("each resolution must be a multiple of the finer one")
        if any(SPAN_MS % rung.resolution_ms for rung in self.rungs):
            raise ValueError(f"each resolution must divide {SPAN_MS} ms")

    def for_pane(self, pane_ms: int) -> "Ladder":
        """The same ladder for panes of another length, which must divide `SPAN_MS`.

        Older panes are as long as the ladder says, or the next longer that whole panes fill.
        Raises ValueError for any other length.
        """
        youngest, *older = self.rungs
        rungs = [Rung(youngest.until_age_ms, pane_ms)]
        for rung in older:
            finer = rungs[-1].resolution_ms
            fitting = (n for n in range(finer, SPAN_MS + 1, finer) if not SPAN_MS % n)
            resolution = next((n for n in fitting if n >= rung.resolution_ms), pane_ms)
            rungs.append(Rung(rung.until_age_ms, resolution))
        return Ladder(tuple(rungs))

    def for_slices(self, slice_ms: int) -> "Ladder":
        """The same ladder with no pane that reaches beyond a slice of this length.

        `slice_ms` is a multiple of the youngest resolution, and divides `SPAN_MS`.
        """
        rungs = [Rung(r.until_age_ms, gcd(r.resolution_ms, slice_ms)) for r in self.rungs]
        return Ladder(tuple(rungs), gcd(self.coarsest_ms, slice_ms))

    def resolution_ms(self, age_ms: int) -> int:
        """The resolution promised to windows of this length, and to panes up to this age."""
        for rung in self.rungs:
            if age_ms <= rung.until_age_ms:
                return rung.resolution_ms
        return self.coarsest_ms

    def old_edge_ms(self, at_ms: int, window_ms: int) -> int:
        """A window at `at_ms` holds the panes that end after this time.

        It moves in steps of the resolution at the window's age: a pane counts until it has left
        whole.
        """
        return floor_to(at_ms - window_ms, self.resolution_ms(window_ms))

    def kept_ms(self, span_end_ms: int, at_ms: int) -> int:
        """The resolution at which a whole span is kept at `at_ms`, once it is that old."""
        for rung in self.rungs:
            if span_end_ms > floor_to(at_ms - rung.until_age_ms, SPAN_MS):
                return rung.resolution_ms
        return self.coarsest_ms
