"""Taking over a source: which epoch to claim, and where to go on counting it.

Pure decisions over what the log says; whoever owns the source by the broker's account acts on
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from servicelevel.application.refusal import Reason
from servicelevel.domain.ledger import SourceState
from servicelevel.domain.outputs import DeadLetter
from servicelevel.errors import START_ANEW, GapError, StateError

States = Mapping[int, SourceState | None]
"""What the log says of one source, by counts partition; None where it was never claimed."""

NO_EPOCH = -1
SKIP_GAP = "set SERVICELEVEL_ON_GAP=continue"


class Epoch(NamedTuple):
    """The epoch to claim; with `needs_proof` only after a commit of the source's offset went well.

    A commit goes well for the owner alone, so nobody else claims that epoch for the same reason.
    """

    number: int
    needs_proof: bool


def choose_epoch(generation: int, states: States) -> Epoch:
    """The consumer group's generation, or one above the log's where that is not behind it.

    The generation starts anew when a group was emptied or reset; the log's epochs do not.
    """
    logged = max((state.epoch for state in states.values() if state), default=NO_EPOCH)
    if generation > logged:
        return Epoch(generation, needs_proof=False)
    return Epoch(logged + 1, needs_proof=True)


def claim_start(states: States, beginning: int) -> int:
    """The first offset to count where nothing of the source was applied yet.

    A claim that reached only some counts partitions has fixed it; else it is the first record
    that the broker has.
    """
    return min((state.applied for state in states.values() if state), default=beginning)


def is_held(states: States, epoch: int, owner: str) -> bool:
    """Whether the claim is in force in every counts partition."""
    return all(s is not None and s.epoch == epoch and s.owner == owner for s in states.values())


def is_torn(states: States) -> bool:
    """Whether a counts partition knows nothing of a source that others have counts of.

    Nothing is counted before the claim is in force everywhere; so a part of the log is another's.
    """
    return any(s is None for s in states.values()) and any(
        s is not None and s.tally.read for s in states.values()
    )


def torn_error(source: str, states: States) -> StateError:
    """The error of a source of which the log is torn."""
    empty = [str(partition) for partition, state in states.items() if state is None]
    return StateError(
        f"source {source}: counts partition {', '.join(empty)} knows nothing of it, and others "
        "have counts of it. Was counts given more partitions, or made anew in part? Services lie "
        f"in it by its number of partitions. Nothing was written; {START_ANEW}"
    )


def fewer_error(topic: str, found: int, known: int) -> StateError:
    """The error of a source topic that has fewer partitions than when it was counted."""
    return StateError(
        f"topic {topic} has {found} partitions, and had {known} when it was counted: it was "
        "deleted and made anew, so offsets mean other records now. Nothing was written; "
        f"{START_ANEW}"
    )


class Cut(NamedTuple):
    """Counts must be taken at `offset`, as one counts partition has all before it already.

    `max_time_ms` is the source's highest time there, idle advance included.
    """

    offset: int
    max_time_ms: int | None


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to read on, what each counts partition has, and where to cut on the way.

    Records from `start` to before `gap_end` are deleted (None: all are there). With `warm_from`
    those from there on are read too, for their ids alone.
    """

    start: int
    applied: Mapping[int, int]
    max_time_ms: int | None
    cuts: tuple[Cut, ...] = ()
    gap_end: int | None = None
    warm_from: int | None = None

    @property
    def first(self) -> int:
        """The first record to count."""
        return self.start if self.gap_end is None else self.gap_end

    @property
    def read_from(self) -> int:
        """The first record to read."""
        return self.first if self.warm_from is None else self.warm_from

    @property
    def told(self) -> int:
        """Dead letters and late events before this offset were acknowledged already."""
        return max(self.applied.values())


def resume(
    source: str,
    states: Mapping[int, SourceState],
    beginning: int,
    *,
    skip_gap: bool = False,
    dedup_records: int = 0,
) -> Resume:
    """Go on where the counts partition that has least of the source ends.

    The ids of so many records before are read again, or of as many as the broker still has.

    Raises:
        GapError: the broker no longer has the records from there on, and `skip_gap` is not set.
    """
    start = min(state.applied for state in states.values())
    if start < beginning and not skip_gap:
        raise gap_error(source, start, beginning)
    highest: dict[int, int | None] = {}
    for state in states.values():
        known = highest.get(state.applied)
        if known is None or (state.max_time_ms is not None and state.max_time_ms > known):
            highest[state.applied] = state.max_time_ms
    max_time_ms = highest.pop(start)
    return Resume(
        start,
        {partition: state.applied for partition, state in states.items()},
        max_time_ms,
        tuple(Cut(offset, highest[offset]) for offset in sorted(highest)),
        beginning if start < beginning else None,
        max(beginning, start - dedup_records),
    )


def gap_error(source: str, applied: int, beginning: int) -> GapError:
    """The error of a source whose records are deleted from `applied` to before `beginning`."""
    return GapError(
        f"source {source}: counted up to offset {applied}, but the broker's first record is "
        f"{beginning}: its retention deleted {beginning - applied} offsets before they were "
        "counted. Lengthen the topic's retention (retention.ms, retention.bytes); to go on without "
        f"the deleted records, {SKIP_GAP}"
    )


def gap_letter(topic: str, partition: int, found: Resume) -> DeadLetter:
    """The dead letter of the records that `found` goes on without.

    Its time is the highest of the source before them, and no clock's: told again, it is the same.
    """
    last = found.first - 1
    return DeadLetter(
        topic,
        partition,
        found.start,
        Reason.GAP,
        f"the topic's retention deleted offsets {found.start} to {last} before they were counted",
        None,
        None,
        found.max_time_ms or 0,
        last,
    )
