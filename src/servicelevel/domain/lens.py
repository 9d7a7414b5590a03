"""How an objective looks at panes: by event or by slice, over which windows, as corrected.

All is a function of the panes and of what of their revisions is known at a time, so that windows
can be built anew from what is stored, or moved on from what they were.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import lcm

from servicelevel.domain.calendar import Calendar
from servicelevel.domain.corrections import Effect, Stretch
from servicelevel.domain.model import NoDataPolicy
from servicelevel.domain.panes import Panes
from servicelevel.domain.slices import RateSlices, Slices
from servicelevel.domain.span import ZERO, Counts
from servicelevel.domain.time import floor_to, pane_end

PERIOD = 0
"""The length that stands for the calendar's period, where windows are told by their lengths."""


@dataclass(frozen=True, slots=True)
class Lens:
    """What makes two objectives over one series see the same numbers.

    `stretches` are those of the corrections, in order, whole quarters of an hour.
    """

    slices: Slices | None = None
    calendar: Calendar | None = None
    no_data: NoDataPolicy = "ignore"
    stretches: tuple[Stretch, ...] = ()

    @property
    def fills(self) -> bool:
        """Whether slices without events are judged too."""
        return self.slices is not None and (
            self.no_data != "ignore" or isinstance(self.slices, RateSlices)
        )


class View:
    """Panes through a lens, in units: slices where there are any, else panes.

    Windows move on the grid of `step_ms`, the length of a unit.
    """

    def __init__(self, panes: Panes, lens: Lens) -> None:
        self.panes = panes
        self.lens = lens
        self.step_ms = lens.slices.length_ms if lens.slices is not None else panes.pane_ms
        self.scale = lens.slices.scale if lens.slices is not None else 1
        self.fills = lens.fills
        self._empty = self._judge_empty()
        self._edge_steps: dict[int, int] = {}
        self._period: tuple[int, int] | None = None

    def period(self, at_ms: int) -> tuple[int, int] | None:
        """(begin, end) of the calendar's period at a time; None where windows only roll."""
        if self.lens.calendar is None:
            return None
        if self._period is None or not self._period[0] < at_ms <= self._period[1]:
            self._period = self.lens.calendar.period(at_ms)  # a month has a quarter million panes
        return self._period

    def old_edge_ms(self, at_ms: int, window_ms: int) -> int:
        """A window at `at_ms` holds the units that end after this time."""
        if window_ms == PERIOD and (period := self.period(at_ms)) is not None:
            return period[0]
        return floor_to(at_ms - window_ms, self._edge_step_ms(window_ms))

    def leaves_ms(self, end_ms: int, at_ms: int, window_ms: int) -> int:
        """The first time on the grid at which a unit of a window at `at_ms` is in it no more."""
        if window_ms == PERIOD and (period := self.period(at_ms)) is not None:
            return floor_to(period[1], self.step_ms) + self.step_ms
        # The old edge moves in steps, so a unit leaves when the edge's next step reaches it.
        step = self._edge_step_ms(window_ms)
        return pane_end(pane_end(end_ms, step) + window_ms, self.step_ms)

    def sum(self, after_ms: int, to_ms: int, known_ms: int) -> Counts:
        """What the units that end in `(after, to]` count; revisions count as known then."""
        if self.lens.slices is None:
            return self._corrected(after_ms, to_ms, known_ms)
        good = total = 0
        for counts in self._slices(after_ms, to_ms, known_ms).values():
            good += counts[0]
            total += counts[1]
        return good, total

    def change(self, after_ms: int, to_ms: int, before_ms: int, known_ms: int) -> Counts:
        """By how much revisions that got known in `(before, known]` change these units' sum."""
        touched: dict[int, list[tuple[int, int, Counts]]] = {}
        for end, since, counts in self.panes.revisions():
            unit = pane_end(end, self.step_ms)
            if after_ms < unit <= to_ms and since <= known_ms:
                touched.setdefault(unit, []).append((end, since, counts))
        good = total = 0
        for unit, revisions in touched.items():
            if all(since <= before_ms for _, since, _ in revisions):
                continue
            was = self._with(unit, [each for each in revisions if each[1] <= before_ms])
            is_now = self._with(unit, revisions)
            good += is_now[0] - was[0]
            total += is_now[1] - was[1]
        return good, total

    def _with(self, unit_ms: int, revisions: Iterable[tuple[int, int, Counts]]) -> Counts:
        """What a unit counts with these of its revisions."""
        own = self.panes.between(unit_ms - self.step_ms, unit_ms)
        each = [self._correct(end, counts) for end, counts in own]
        each += [self._correct(end, counts) for end, _, counts in revisions]
        counts = sum(good for good, _ in each), sum(total for _, total in each)
        if self.lens.slices is None:
            return counts
        begin = self.begin_ms()
        if self.fills and begin is not None and unit_ms <= begin:
            return ZERO
        return self._judge(unit_ms, counts) or ZERO

    def unit(self, end_ms: int, known_ms: int) -> Counts:
        """What one unit counts."""
        return self.sum(end_ms - self.step_ms, end_ms, known_ms)

    def next_after(self, after_ms: int) -> int | None:
        """The end of the first unit after this time that has events."""
        found = self.panes.next_after(floor_to(after_ms, self.step_ms))
        return None if found is None else pane_end(found, self.step_ms)

    def filled(self, counts: Counts, after_ms: int, to_ms: int) -> Counts:
        """The sum of a window's units with the empty ones judged, if they are to be."""
        begin = self.begin_ms()
        if not self.fills or begin is None:
            return counts
        after_ms = max(after_ms, begin)
        removed, good = (self._whole(after_ms, to_ms, effect) for effect in ("remove", "good"))
        units = max(0, to_ms // self.step_ms - after_ms // self.step_ms) - removed
        empty = units - good - counts[1] // self.scale
        return counts[0] + good * self.scale + empty * self._empty[0], units * self.scale

    def _edge_step_ms(self, window_ms: int) -> int:
        step = self._edge_steps.get(window_ms)
        if step is None:
            step = lcm(self.panes.ladder.resolution_ms(window_ms), self.step_ms)
            self._edge_steps[window_ms] = step
        return step

    def _corrected(self, after_ms: int, to_ms: int, known_ms: int) -> Counts:
        good, total = self._raw(after_ms, to_ms, known_ms)
        for begin, end, effect in self.lens.stretches:
            if begin < to_ms and end > after_ms:
                some = self._raw(max(begin, after_ms), min(end, to_ms), known_ms)
                good += some[1] - some[0] if effect == "good" else -some[0]
                total -= some[1] if effect == "remove" else 0
        return good, total

    def _raw(self, after_ms: int, to_ms: int, known_ms: int) -> Counts:
        good, total = self.panes.sum(after_ms, to_ms)
        more = self.panes.revised(after_ms, to_ms, known_ms)
        return good + more[0], total + more[1]

    def _slices(self, after_ms: int, to_ms: int, known_ms: int) -> dict[int, Counts]:
        """The slices with events that end in `(after, to]`, judged."""
        step = self.step_ms
        if self.fills:
            after_ms = max(after_ms, self.begin_ms() or after_ms)
        if after_ms >= to_ms:
            return {}
        sums: dict[int, Counts] = {}
        for end, counts in self._each(floor_to(after_ms, step), floor_to(to_ms, step), known_ms):
            at = pane_end(end, step)
            had = sums.get(at, ZERO)
            sums[at] = (had[0] + counts[0], had[1] + counts[1])
        judged = ((end, self._judge(end, counts)) for end, counts in sums.items())
        return {end: counts for end, counts in judged if counts is not None}

    def _judge(self, end_ms: int, counts: Counts) -> Counts | None:
        """A slice with these counts, as corrected; None where it does not count, or as empty."""
        if not counts[1] or self.lens.slices is None or self._is_whole(end_ms, "remove"):
            return None
        if self._is_whole(end_ms, "good"):
            return None if self.fills else (self.scale, self.scale)
        return self.lens.slices.judge(counts)

    def _each(self, after_ms: int, to_ms: int, known_ms: int) -> Iterator[tuple[int, Counts]]:
        """Panes, and revisions of panes, with their counts as corrected."""
        for end, counts in self.panes.between(after_ms, to_ms):
            yield end, self._correct(end, counts)
        for end, since, counts in self.panes.revisions():
            if after_ms < end <= to_ms and since <= known_ms:
                yield end, self._correct(end, counts)

    def _correct(self, end_ms: int, counts: Counts) -> Counts:
        for begin, end, effect in self.lens.stretches:
            if begin < end_ms <= end:
                return ZERO if effect == "remove" else (counts[1], counts[1])
        return counts

    def _is_whole(self, end_ms: int, effect: Effect) -> bool:
        """Whether a stretch of this effect covers the whole unit."""
        begin_ms = end_ms - self.step_ms
        return any(
            each.effect == effect and each.from_ms <= begin_ms and end_ms <= each.to_ms
            for each in self.lens.stretches
        )

    def _whole(self, after_ms: int, to_ms: int, effect: Effect) -> int:
        """How many units that end in `(after, to]` a stretch of this effect covers whole."""
        count, step = 0, self.step_ms
        for begin, end, its_effect in self.lens.stretches:
            first = max(pane_end(begin, step), floor_to(after_ms, step))
            last = min(floor_to(end, step), floor_to(to_ms, step))
            if its_effect == effect and last > first:
                count += (last - first) // step
        return count

    def begin_ms(self) -> int | None:
        """Units are judged from here on where the empty ones are: the first whole one's begin."""
        first = self.panes.first_ms
        return None if first is None else pane_end(first - self.panes.pane_ms, self.step_ms)

    def _judge_empty(self) -> Counts:
        if self.lens.slices is None or not self.fills:
            return ZERO
        if self.lens.no_data == "ignore":
            return self.lens.slices.judge(ZERO)
        return (self.scale if self.lens.no_data == "good" else 0), self.scale
