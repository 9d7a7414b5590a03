"""A series under judgement: the counts of an indicator, and the slices made of them if any."""

from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.watch import Watch
from servicelevel.domain.counts import Cell
from servicelevel.domain.model import Throughput
from servicelevel.domain.time import floor_to, pane_end


class Judged:
    """`counted` holds what came from the events; `series` is what objectives look at.

    They are the same but for a throughput indicator, where `series` holds a slice an interval.
    """

    def __init__(
        self, counted: Series, slices: Series | None, throughput: Throughput | None
    ) -> None:
        self.counted = counted
        self.slices = slices
        self.throughput = throughput
        self.watches: list[Watch] = []

    @property
    def series(self) -> Series:
        """What objectives look at."""
        return self.slices if self.slices is not None else self.counted

    def every(self) -> tuple[Series, ...]:
        """All series to be stored."""
        return (self.counted,) if self.slices is None else (self.counted, self.slices)

    def slice_up(self, after_ms: int | None, to_ms: int, offset: int, kept_ms: int) -> None:
        """Judge the intervals that ended in `(after, to]`, from the first whole one on.

        None that ended more than `kept_ms` ago, which no window can reach.
        """
        if self.slices is None or self.throughput is None or self.counted.first_ms is None:
            return
        interval = self.throughput.interval_ms
        begin = pane_end(self.counted.first_ms - self.counted.pane_ms, interval)
        if after_ms is not None:
            begin = max(begin, floor_to(after_ms, interval))
        begin = max(begin, floor_to(to_ms - kept_ms, interval))
        for end in range(begin + interval, to_ms + 1, interval):
            panes = self.counted.panes
            events = panes.sum(end - interval, end)[1] + panes.revised(end - interval, end)[1]
            good = int(self.throughput.is_good(events))
            cell = Cell(self.slices.indicator, self.slices.group, end, good, 1)
            if self.slices.first_ms is None:
                self.slices.first_ms = end
            self.slices.add(cell, offset, end - interval)
