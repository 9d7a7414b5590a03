"""What is seen of one objective at one time: counts by window, as rules judge them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from servicelevel.domain.span import ZERO, Counts

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Sight:
    """Counts by the window's length in ms (`PERIOD` for the calendar's) at `at_ms`.

    `counts` are exact and in parts: events, slices, or parts of these. `units` says how many events
    or slices they are where that differs from the number of parts. `whole` is the objective's
    window, nominally `whole_ms` long; a calendar's ends at `ends_ms`. `silent` are the windows in
    which nothing happened although something had before. `values` is the end of the last slice of
    which values are known, and their sketch. Of the objective's window `covered_ms`
    have passed since it began, or since the first event.
    """

    at_ms: int
    whole: int
    whole_ms: int
    covered_ms: int
    counts: Mapping[int, Counts] = field(default_factory=dict)
    units: Mapping[int, int] = field(default_factory=dict)
    silent: frozenset[int] = frozenset()
    ends_ms: int | None = None
    values: tuple[int, Mapping[int, int]] | None = None

    def of(self, window: int) -> Counts:
        """(good, total) in parts."""
        return self.counts.get(window, ZERO)

    @property
    def total(self) -> Counts:
        """(good, total) in parts over the objective's whole window."""
        return self.of(self.whole)

    def told(self, window: int) -> tuple[Number, int]:
        """(good, total) in events or slices; good may be a fraction of them."""
        good, total = self.of(window)
        units = self.units.get(window, total)
        if units == total or not total:
            return good, total
        told = Fraction(good * units, total)
        return (told.numerator if told.denominator == 1 else told), units

    def bad_units(self, window: int) -> Number:
        """Bad events or slices of a window."""
        good, total = self.told(window)
        return total - good


def mean(sights: Sequence[Sight], weights: Sequence[Fraction]) -> Sight:
    """The mean of the SLIs by these weights, exact, window by window.

    One without events in a window has no SLI there: the mean is that of the others.
    """
    first = sights[0]
    counts: dict[int, Counts] = {}
    units: dict[int, int] = {}
    for window in first.counts:
        seen = [(s, w) for s, w in zip(sights, weights, strict=True) if s.of(window)[1]]
        if not seen:
            counts[window], units[window] = ZERO, 0
            continue
        share = sum((w * Fraction(*s.of(window)) for s, w in seen), Fraction(0))
        ratio = share / sum((w for _, w in seen), Fraction(0))
        counts[window] = (ratio.numerator, ratio.denominator)
        units[window] = sum(s.told(window)[1] for s, _ in seen)
    silent = frozenset.intersection(*(s.silent for s in sights))
    return Sight(
        first.at_ms,
        first.whole,
        first.whole_ms,
        max(sight.covered_ms for sight in sights),
        counts,
        units,
        silent,
        ends_ms=first.ends_ms,
    )
