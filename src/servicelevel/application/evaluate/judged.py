"""What is judged as one: watches that see the same numbers, and the windows these come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.watch import Watch
from servicelevel.domain.lens import Lens, View
from servicelevel.domain.rules import Exhaustion, leaves
from servicelevel.domain.sight import Sight, mean
from servicelevel.domain.time import floor_to, pane_end
from servicelevel.domain.windows import Windows


@dataclass(frozen=True, slots=True)
class Part:
    """A series through a lens; `weight` is its share in a composite."""

    series: Series
    lens: Lens
    weight: Fraction = Fraction(1)


class Judged:
    """One series through a lens, or the parts of a composite. All move on the grid of `step_ms`."""

    def __init__(self, parts: Sequence[Part], watches: Sequence[Watch]) -> None:
        self.parts = tuple(parts)
        self.watches = tuple(watches)
        self._views = [View(part.series.panes, part.lens) for part in parts]
        self.step_ms = lcm(*(view.step_ms for view in self._views))
        self.lengths_ms = sorted({w for watch in watches for w in watch.promise.lengths_ms})
        self._silences = frozenset(w for watch in watches for w in watch.silences_ms)
        self.tells_early = all(part.lens.slices is None for part in parts)
        self._may_alert_unharmed = bool(self._silences) or any(
            part.lens.no_data == "bad" or view.fills
            for part, view in zip(parts, self._views, strict=True)
        )
        self._forecasts_in_periods = any(
            isinstance(leaf, Exhaustion)
            for watch in watches
            if watch.promise.slo.calendar is not None
            for rule in watch.promise.rules
            for leaf in leaves(rule.condition)
        )
        self.windows: list[Windows] = []

    @property
    def series(self) -> tuple[Series, ...]:
        """The series that are looked at."""
        return tuple(part.series for part in self.parts)

    def start(self, watermark_ms: int | None) -> bool:
        """Make the windows at the watermark where there are none; False before time is known."""
        if not self.windows and watermark_ms is not None:
            at_ms = floor_to(watermark_ms, self.step_ms)
            self.windows = [Windows(view, self.lengths_ms, at_ms) for view in self._views]
            for part, windows in zip(self.parts, self.windows, strict=True):
                part.series.windows.append(windows)
        return bool(self.windows)

    def start_before_first(self, limit_ms: int) -> None:
        """All that was counted so far is still to be judged, and what may come after `limit`."""
        if not self.windows:
            firsts = [first for s in self.series if (first := s.first_counted_ms()) is not None]
            if firsts:
                self.start(min(min(firsts) - self.step_ms, limit_ms))

    def at_ms(self) -> int:
        """The end of the last unit that all windows were moved to."""
        return min(windows.at_ms for windows in self.windows)

    def advance(self, to_ms: int) -> None:
        """Move on to a later end of a unit."""
        for windows in self.windows:
            windows.advance(to_ms)

    def next_change(self, limit_ms: int) -> int:
        """The next end of a unit at which something may have to be decided, at most `limit_ms`."""
        change = min(windows.next_change(limit_ms) for windows in self.windows)
        wakes = [wake for watch in self.watches if (wake := watch.wake_ms()) is not None]
        for windows in self.windows:
            lens = windows.view.lens
            watched = self._silences if lens.no_data == "ignore" else self.lengths_ms
            wakes += [wake for w in watched if (wake := windows.wakes_ms(w)) is not None]
        if self._forecasts_in_periods:
            sight = self.sight()
            wakes += [turn for watch in self.watches if (turn := watch.turns_ms(sight)) is not None]
        soonest = self.at_ms() + self.step_ms
        return min(max(pane_end(min([change, *wakes]), self.step_ms), soonest), limit_ms)

    def is_revised_by(self, to_ms: int) -> bool:
        """Whether what was judged already will be other by then."""
        return any(windows.is_revised_by(to_ms) for windows in self.windows)

    def nothing_can_happen(self, limit_ms: int) -> bool:
        """Whether no watch can tell anything up to there: without bad events no rule holds."""
        if self._may_alert_unharmed or not all(watch.is_quiet for watch in self.watches):
            return False
        return not any(self._can_harm(windows, limit_ms) for windows in self.windows)

    def _can_harm(self, windows: Windows, limit_ms: int) -> bool:
        panes = windows.view.panes
        if panes.revisions():
            return True
        if any(good != total for good, total in windows.sums().values()):
            return True
        good, total = panes.sum(windows.at_ms, limit_ms)
        return good != total

    def sight(self) -> Sight:
        """What is seen at the end of the last unit."""
        return self._sight(self.windows)

    def peek(self, to_ms: int, edge_of_ms: int | None = None) -> Sight:
        """What will be seen at a later end of a unit, as far as it is known now."""
        return self._sight([windows.peek(to_ms, edge_of_ms) for windows in self.windows])

    def early_ends(self, newest_ms: int) -> list[int]:
        """The ends of panes not judged yet, up to one after `newest`."""
        found: set[int] = set()
        for windows in self.windows:
            end = windows.view.next_after(windows.at_ms)
            while end is not None and end <= newest_ms + self.step_ms:
                found.add(pane_end(end, self.step_ms))
                end = windows.view.next_after(end)
        return sorted(found)

    def _sight(self, windows: Sequence[Windows]) -> Sight:
        sights = [self._seen(w, p) for w, p in zip(windows, self.parts, strict=True)]
        if len(sights) == 1:
            return sights[0]
        return mean(sights, [part.weight for part in self.parts])

    def _seen(self, windows: Windows, part: Part) -> Sight:
        slo, counts, units = self.watches[0].promise.slo, windows.filled(), dict[int, int]()
        first_ms = part.series.panes.first_ms
        has_begun = first_ms is not None and first_ms <= windows.at_ms
        whole = self.watches[0].promise.window
        covered_ms = 0
        if has_begun and first_ms is not None:
            covered_ms = windows.at_ms - max(first_ms - part.series.pane_ms, windows.edge(whole))
        if has_begun and part.lens.slices is None and part.lens.no_data != "ignore":
            instead = (1, 1) if part.lens.no_data == "good" else (0, 1)
            units = {w: 0 for w, (_, total) in counts.items() if not total}
            counts = {
                w: c if c[1] or windows.is_corrected(w) else instead for w, c in counts.items()
            }
        elif windows.view.scale != 1:
            units = {w: total // windows.view.scale for w, (_, total) in counts.items()}
        silent = frozenset(w for w in self._silences if has_begun and windows.is_silent(w))
        period = windows.view.period(windows.at_ms)
        values = part.series.last_values(windows.at_ms)
        return Sight(
            windows.at_ms,
            whole,
            slo.window_ms,
            covered_ms,
            counts,
            units,
            silent,
            None if period is None else period[1],
            values,
        )
