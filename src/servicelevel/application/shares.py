"""What each counts partition is still to be told of a source, in ranges that follow each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from servicelevel.application.combine import Folded
from servicelevel.domain.counts import NO_TALLY, Cell, Range, Tally


@dataclass(slots=True)
class _Share:
    """What one counts partition is still to be told: all since `start`."""

    start: int
    end: int
    tally: Tally = NO_TALLY
    ready: list[Range] = field(default_factory=list)


class Shares:
    """`applied` is the offset up to which each counts partition has the source."""

    def __init__(self, source: str, epoch: int, applied: Mapping[int, int]) -> None:
        self._source = source
        self._epoch = epoch
        self._shares = {n: _Share(offset, offset) for n, offset in applied.items()}
        self.cells = 0
        """How many are in the ranges that are ready."""

    def close(self, position: int, folded: Folded, max_time_ms: int | None, *, idle: bool) -> None:
        """What was counted up to `position`: a range where there are cells of a partition."""
        for partition, share in self._shares.items():
            if position <= share.end:
                continue
            share.end = position
            share.tally = share.tally.plus(folded.tally)
            if cells := folded.cells.get(partition):
                share.ready.append(self._range(share, max_time_ms, idle, tuple(cells)))
                self.cells += len(cells)

    def has_cells(self, partition: int) -> bool:
        """Whether a counts partition has counts to be told."""
        return bool(self._shares[partition].ready)

    def take(self, partition: int, max_time_ms: int | None, *, idle: bool) -> list[Range]:
        """All ranges to be written to a counts partition now; the last one is up to date."""
        share = self._shares[partition]
        ready, share.ready = share.ready, []
        self.cells -= sum(len(range_.cells) for range_ in ready)
        last = ready[-1] if ready else None
        if last is None or (last.end, last.max_time_ms, last.idle) != (
            share.end,
            max_time_ms,
            idle,
        ):
            ready.append(self._range(share, max_time_ms, idle, ()))
        return ready

    def told_up_to(self, partition: int) -> int:
        """Where the next range for a counts partition will start."""
        return self._shares[partition].start

    def _range(
        self, share: _Share, max_time_ms: int | None, idle: bool, cells: tuple[Cell, ...]
    ) -> Range:
        start, share.start = share.start, share.end
        tally, share.tally = share.tally, NO_TALLY
        return Range(self._source, self._epoch, start, share.end, max_time_ms, idle, tally, cells)
