"""Reads a partition of `counts` and says what of it is valid: the log decides.

Every transition of a source's ledger state is in this file; combiner and evaluator both use it.

- A claim is accepted if its epoch is greater than the one in force.
- A range is accepted if its epoch is the one in force and it starts where the source is applied
  to; then the source is applied to the range's end.
- Anything else is ignored whole. So whoever writes, and however late, each source offset is
  applied once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from servicelevel.domain.counts import NO_TALLY, Claim, Range, Tally


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of one source: `applied` is the first offset that is not counted yet."""

    epoch: int
    owner: str
    applied: int
    max_time_ms: int | None = None
    idle: bool = False
    tally: Tally = NO_TALLY

    def dump(self) -> list[Any]:
        """As plain JSON values; `load` reads it."""
        return [
            self.epoch,
            self.owner,
            self.applied,
            self.max_time_ms,
            int(self.idle),
            list(self.tally.dump()),
        ]

    @classmethod
    def load(cls, raw: list[Any]) -> "SourceState":
        """Read what `dump` wrote."""
        epoch, owner, applied, max_time_ms, idle, tally = raw
        return cls(epoch, owner, applied, max_time_ms, bool(idle), Tally(*tally))


class Ledger:
    """The sources of one counts partition, and how many partitions each topic has."""

    def __init__(
        self,
        sources: Mapping[str, SourceState] | None = None,
        partitions: Mapping[str, int] | None = None,
    ) -> None:
        self.sources: dict[str, SourceState] = dict(sources or {})
        self.partitions: dict[str, int] = dict(partitions or {})

    def claim(self, claim: Claim) -> bool:
        """Apply a claim; False if it is ignored."""
        known = self.sources.get(claim.source)
        if known is None:
            self.sources[claim.source] = SourceState(claim.epoch, claim.owner, claim.start)
        elif claim.epoch > known.epoch:
            self.sources[claim.source] = replace(known, epoch=claim.epoch, owner=claim.owner)
        else:
            return False
        # Whole, as a topic that is read no more would hold the watermark for ever.
        self.partitions = dict(claim.partitions)
        return True

    def apply(self, range_: Range) -> bool:
        """Apply a range; False if it is ignored."""
        known = self.sources.get(range_.source)
        if known is None or range_.epoch != known.epoch or range_.start != known.applied:
            return False
        if range_.end < range_.start:
            return False
        self.sources[range_.source] = replace(
            known,
            applied=range_.end,
            max_time_ms=_latest(known.max_time_ms, range_.max_time_ms),
            idle=range_.idle,
            tally=known.tally.plus(range_.tally),
        )
        return True

    def watermark_ms(self, allowed_lateness_ms: int) -> int | None:
        """No event at or before this time is still expected; None while nobody can say.

        The lowest `max_time − allowed lateness − 1 ms` over the sources that are not idle, or
        the highest over all where all are idle. A topic of which a partition was never claimed
        holds it back.
        """
        active: list[int] = []
        idle: list[int] = []
        for source in self._expected():
            state = self.sources.get(source)
            if state is None or (state.max_time_ms is None and not state.idle):
                return None
            if state.max_time_ms is not None:
                (idle if state.idle else active).append(state.max_time_ms)
        if active:
            return min(active) - allowed_lateness_ms - 1
        return max(idle) - allowed_lateness_ms - 1 if idle else None

    def _expected(self) -> Iterable[str]:
        return (f"{topic}/{n}" for topic, count in self.partitions.items() for n in range(count))


def _latest(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return max(a, b)
