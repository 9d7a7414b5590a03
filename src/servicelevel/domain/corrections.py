"""Corrections: spans of time that do not count as they were measured, such as maintenance."""

from dataclasses import dataclass
from typing import Literal

from servicelevel.domain.panes import ZERO, Counts

Effect = Literal["remove", "good"]


@dataclass(frozen=True, slots=True)
class Correction:
    """Panes that end in `(from, to]` are removed, or all of their events are good.

    Both edges are whole quarters of an hour, the coarsest panes, so that a correction of last month
    is as exact as one of today. `by`, `reason` and `recorded_at` are kept for whoever asks.
    """

    name: str
    from_ms: int
    to_ms: int
    effect: Effect
    by: str = ""
    reason: str = ""
    recorded_at: str = ""


@dataclass(frozen=True, slots=True)
class Corrections:
    """All that hold for an objective; where two overlap, `remove` prevails."""

    each: tuple[Correction, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.each)

    def effect(self, end_ms: int) -> Effect | None:
        """What holds for the pane that ends then."""
        found = {c.effect for c in self.each if c.from_ms < end_ms <= c.to_ms}
        return "remove" if "remove" in found else "good" if found else None

    def correct(self, end_ms: int, counts: Counts) -> Counts:
        """A pane's counts as they count."""
        effect = self.effect(end_ms)
        if effect is None:
            return counts
        return ZERO if effect == "remove" else (counts[1], counts[1])
