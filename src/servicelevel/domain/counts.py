"""What a message on `counts` says: claims on source partitions, and ranges of counted offsets.

A source is a source partition, written `topic/partition` with the topic's name without prefix.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class BadEvidence(NamedTuple):
    """Where a pane's bad events came from.

    `offsets` maps a source to its first and last bad offset; `dimensions` maps
    `operation=…`, `status_code=…` and so on to bad event counts.
    """

    offsets: Mapping[str, tuple[int, int]]
    dimensions: Mapping[str, int]


class Cell(NamedTuple):
    """Counts of one indicator, group and pane: `0 ≤ good ≤ total` events.

    A revision came when its pane was complete by its source's own log; it counts at pane ends
    from `revision_ms` on, the first that the log had not completed then (0: no revision). So
    what is decided does not depend on when the revision is read. `sketch` counts the values of the
    indicator's field by bucket, where it has one.
    """

    indicator: str
    group: str  # "" for all, else "name=value,…" in the order of groupBy
    pane_end_ms: int
    good: int
    total: int
    bad: BadEvidence | None = None
    revision_ms: int = 0
    sketch: Mapping[int, int] | None = None


class Tally(NamedTuple):
    """What became of the events read, and of records that hold none.

    counted + late + dead + repeated = read. A record is one event, unless a source mapping unrolls
    it, or passes it over: then it is as many as it gave, and one more if a part of it is a dead
    letter.
    """

    read: int = 0
    counted: int = 0
    late: int = 0
    dead: int = 0
    repeated: int = 0  # left out, as an event shortly before has the same id

    def plus(self, other: "Tally") -> "Tally":
        """The sum, field by field."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))

    def dump(self) -> tuple[int, ...]:
        """As it is stored: without `repeated` where that is 0, so that older releases read it."""
        return self if self.repeated else self[:-1]


NO_TALLY = Tally()


@dataclass(frozen=True, slots=True)
class Claim:
    """«From now on I count this source.»

    `start` is the source offset to begin at where nothing of the source was ever applied.
    `partitions` tells how many partitions each source topic has, so that the watermark waits
    for all of them.
    """

    source: str
    epoch: int
    owner: str
    start: int
    partitions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Range:
    """«The records of this source in `[start, end)` add up to these cells.»

    `max_time_ms` is the highest event time seen in the source before `end` (None: none yet);
    an idle source does not hold the watermark back.
    """

    source: str
    epoch: int
    start: int
    end: int
    max_time_ms: int | None
    idle: bool = False
    tally: Tally = NO_TALLY
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class CountsMessage:
    """One record on `counts`: claims first, then ranges, each read on its own.

    `sent_at_ms` is the combiner's wall clock; it serves latency figures, never a decision.
    """

    sent_at_ms: int
    claims: tuple[Claim, ...] = ()
    ranges: tuple[Range, ...] = field(default=())
