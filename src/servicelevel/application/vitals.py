"""How the parts of a worker are: what they have done, what waits, and how late they are.

The parts write here; whoever watches reads: the watchdog, readiness and metrics.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Work(NamedTuple):
    """A piece of work: `done` grows as it goes on, which it should while anything is `waiting`."""

    name: str
    done: int
    waiting: int


class SourceVitals(NamedTuple):
    """Of a source that is held: the offset to be read next, and how many records wait."""

    position: int
    lag: int


@dataclass(slots=True)
class CombinerVitals:
    """Since the start of the process.

    `sources` are those held. `untold` is how many records are counted and not written, `unclaimed`
    how many sources are assigned and not held.
    """

    read: int = 0
    counted: int = 0
    late: int = 0
    dead: int = 0
    repeated: int = 0
    rejected: int = 0  # times that ranges were found ignored, or a source claimed by another
    flushes: int = 0
    claims: int = 0
    sources: dict[str, SourceVitals] = field(default_factory=dict)
    untold: int = 0
    unclaimed: int = 0
    assigned: bool = False  # whether the group has given anything, or said that there is nothing

    @property
    def ready(self) -> bool:
        """Whether all that the group has given is being counted."""
        return self.assigned and not self.unclaimed

    def works(self) -> list[Work]:
        """What should go on."""
        return [
            Work("claiming sources", self.claims, self.unclaimed),
            Work("writing counts", self.flushes, self.untold),
            *(Work(f"reading {name}", *source) for name, source in self.sources.items()),
        ]


Offsets = Mapping[int, int]
"""By counts partition."""

Probe = Callable[[Iterable[int]], Awaitable[tuple[Offsets, Offsets]]]
"""Asks of counts partitions where they end, and up to where they are fetched."""


@dataclass(slots=True)
class EvaluatorVitals:
    """Since the start of the process; by counts partition for those that are assigned now.

    `next_offsets` are those of the messages to be applied next, `ends` as they were asked for
    last.
    """

    applied: int = 0
    rejected: int = 0  # claims and ranges that the ledger ignored
    outputs: dict[str, int] = field(default_factory=dict)
    assigned: frozenset[int] | None = None
    next_offsets: dict[int, int] = field(default_factory=dict)
    watermarks_ms: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)
    fetched: dict[int, int] = field(default_factory=dict)
    probe: Probe | None = None

    @property
    def ready(self) -> bool:
        """Whether the table is loaded for all that is assigned."""
        return self.assigned is not None

    def give_back(self) -> None:
        """Nothing is assigned until it is again."""
        self.assigned = None
        for by_partition in (self.next_offsets, self.watermarks_ms, self.ends, self.fetched):
            by_partition.clear()

    def told(self, kind: str) -> None:
        """One more output of a kind was decided."""
        self.outputs[kind] = self.outputs.get(kind, 0) + 1

    async def look(self) -> None:
        """Ask where the assigned partitions end. Raises what the brokers answer."""
        if self.probe is None or not self.assigned:
            return
        assigned = self.assigned
        ends, fetched = await self.probe(assigned)
        if self.assigned == assigned:
            self.ends, self.fetched = dict(ends), dict(fetched)

    def lag(self, partition: int) -> int:
        """How many messages of an assigned partition wait, as far as is known."""
        end = self.ends.get(partition)
        at = self.next_offsets.get(partition, self.fetched.get(partition))
        return 0 if end is None or at is None else max(0, end - at)

    def works(self) -> list[Work]:
        """What should go on."""
        return [
            Work(
                f"evaluating counts/{partition}",
                self.next_offsets.get(partition, self.fetched.get(partition, 0)),
                self.lag(partition),
            )
            for partition in sorted(self.assigned or ())
        ]


@dataclass(frozen=True, slots=True)
class Vitals:
    """Of one worker; None for a part that it does not run."""

    combiner: CombinerVitals | None = None
    evaluator: EvaluatorVitals | None = None

    @property
    def readiness(self) -> dict[str, bool]:
        """By part that decides on it: the mirror does not, as all goes on without it."""
        parts = {"combiner": self.combiner, "evaluator": self.evaluator}
        return {name: part.ready for name, part in parts.items() if part is not None}

    def works(self) -> list[Work]:
        """What should go on in all parts."""
        combining = self.combiner.works() if self.combiner is not None else []
        evaluating = self.evaluator.works() if self.evaluator is not None else []
        return [*combining, *evaluating]
