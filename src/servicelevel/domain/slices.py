"""Slices: intervals that are judged as one event each, from the counts that fell into them.

Methods are those of OpenSLO: Timeslices and RatioTimeslices. A slice is named by its end, as a
pane is, and lies on the grid of its length.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from servicelevel.domain.span import Counts

Operator = Literal["lte", "gte", "lt", "gt"]

RATIO_SCALE = 1_000_000_000_000
"""A slice's ratio is kept as an integer number of these parts, rounded down."""


@dataclass(frozen=True, slots=True)
class TimeSlices:
    """A slice is good if the share of its good events is at least `target` (above, if `strict`).

    The p-quantile of values is at most v just where at least the share p of them is at most v. So
    a percentile is judged exactly, by counting values up to v: `target` is then p.
    """

    length_ms: int
    target: Fraction
    strict: bool = False

    scale = 1

    def judge(self, counts: Counts) -> Counts:
        """(1, 1) for a good slice, (0, 1) for a bad one."""
        good, total = counts
        kept, needed = good * self.target.denominator, self.target.numerator * total
        return int(kept > needed if self.strict else kept >= needed), 1


@dataclass(frozen=True, slots=True)
class RatioSlices:
    """A slice counts by the ratio of its good events, in parts of `RATIO_SCALE`."""

    length_ms: int

    scale = RATIO_SCALE

    def judge(self, counts: Counts) -> Counts:
        """(ratio, 1), both in parts of the scale."""
        good, total = counts
        return good * RATIO_SCALE // total, RATIO_SCALE


@dataclass(frozen=True, slots=True)
class RateSlices:
    """A slice is good if its number of events satisfies `op value`; an empty one is judged too."""

    length_ms: int
    op: Operator
    value: Fraction

    scale = 1

    def judge(self, counts: Counts) -> Counts:
        """(1, 1) for a slice that keeps the promise, else (0, 1)."""
        events = counts[1]
        match self.op:
            case "gte":
                good = events >= self.value
            case "gt":
                good = events > self.value
            case "lte":
                good = events <= self.value
            case "lt":
                good = events < self.value
        return int(good), 1


Slices = TimeSlices | RatioSlices | RateSlices
