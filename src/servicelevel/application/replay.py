"""Replay: recorded events, of files or topics, through the same code as the live way."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.lines import in_pieces
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import RawRecord, StoredEntry
from servicelevel.application.repeats import Repeats
from servicelevel.domain.counts import NO_TALLY, Claim, CountsMessage, Range, Tally
from servicelevel.domain.model import Catalogue, EventKind
from servicelevel.domain.outputs import DeadLetter, LateEvent, Status, Transition
from servicelevel.domain.time import pane_end

_PIECE = 500
"""Lines decoded at once: their events are counted before they leave the processor's cache."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The events of one file, or of one partition; `topic` is the topic they stand for."""

    topic: str
    kind: EventKind
    lines: Iterable[RawRecord]
    mapping: SourceMapping | None = None


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """`now_ms` is the wall clock against which times in the future are refused.

    With `status_at_ms` events after that time do not count, and the statuses at it are told.
    """

    now_ms: int
    policy: EvaluationPolicy
    late_horizon_ms: int = 30 * 86_400_000
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    status_at_ms: int | None = None
    statuses: bool = False
    """Tell the statuses at the end also where no time was asked for."""
    chunk: int = 20_000
    """Lines counted at once; the outcome does not depend on it."""
    dedup_records: int = 0
    """An event whose id one of so many records before it has is left out."""
    keep_asides: int | None = None
    """Dead letters, and late events, that are kept; None: all. The tally has them all."""


@dataclass(slots=True)
class Replayed:
    """What a replay told, in order of event time, and what became of the events."""

    transitions: list[Transition] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    late: list[LateEvent] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    tally: Tally = NO_TALLY


class ForgetfulState:
    """State that is never read again: a replay starts anew each time."""

    def get(self, key: str) -> StoredEntry | None:  # noqa: ARG002  # the protocol names it
        """Nothing is kept."""
        return None

    def put(self, key: str, offset: int, value: Any) -> None:
        """Nothing is kept."""

    def delete(self, key: str) -> None:
        """Nothing is kept."""

    def scan(self) -> Iterable[tuple[str, StoredEntry]]:
        """Nothing is kept."""
        return ()


def replay(
    catalogue: Catalogue, recordings: Sequence[Recording], options: ReplayOptions
) -> Replayed:
    """Run all recordings to their end; the last pane with events is judged as complete."""
    told = Replayed()
    evaluator = Evaluator(catalogue, options.policy, ForgetfulState())
    sources = _sources(catalogue, recordings, options)
    offset = 0
    outputs = evaluator.apply(_claims(sources), offset)
    while running := [source for source in sources if not source.exhausted]:
        ranges = tuple(source.next_range(told) for source in running)
        offset += 1
        outputs += evaluator.apply(CountsMessage(0, (), ranges), offset)
    offset += 1
    end_ms = _end_ms(catalogue, sources, options)
    outputs += evaluator.apply(_end(end_ms, sources, options), offset)
    told.transitions = sorted(
        (o for o in outputs if isinstance(o, Transition)), key=lambda t: (t.at_ms, t.slo, t.id)
    )
    if end_ms is not None and (options.statuses or options.status_at_ms is not None):
        told.statuses = evaluator.statuses(end_ms)
    for source in sources:
        told.tally = told.tally.plus(source.tally)
    return told


class _Source:
    """Reads a recording chunk by chunk into ranges."""

    def __init__(self, name: str, recording: Recording, plan: Plan, options: ReplayOptions) -> None:
        self.name = name
        topic, partition = name.split("/")
        self._topic, self._partition = topic, int(partition)
        self.exhausted = False
        self.max_time_ms: int | None = None
        self.tally = NO_TALLY
        self._recording = recording
        size = min(_PIECE, options.chunk)
        self._pieces: Iterator[Sequence[RawRecord]] = in_pieces(recording.lines, size)
        self._options = options
        self._applied = 0
        self._repeats = Repeats(options.dedup_records) if options.dedup_records else None
        self._accumulator = SourceAccumulator(
            name,
            recording.kind,
            plan,
            allowed_lateness_ms=options.policy.allowed_lateness_ms,
            late_horizon_ms=options.late_horizon_ms,
            max_time_ms=None,
        )

    def next_range(self, told: Replayed) -> Range:
        read = 0
        while read < self._options.chunk:
            piece = next(self._pieces, None)
            if piece is None:
                self.exhausted = True
                break
            self._count(piece, told)
            read += len(piece)
        return self._range(self._applied + read)

    def _count(self, records: Sequence[RawRecord], told: Replayed) -> None:
        batch, dead = decode_batch(
            records,
            topic=self._topic,
            partition=self._partition,
            kind=self._recording.kind,
            now_ms=self._options.now_ms,
            limits=self._options.limits,
            mapping=self._recording.mapping,
        )
        repeated = 0
        if self._repeats is not None:
            batch, repeated = self._repeats.leave_out(batch)
        if self._options.status_at_ms is not None:
            batch = _until(batch, self._options.status_at_ms)
        late = self._accumulator.add(batch, len(dead), repeated)
        keep = self._options.keep_asides
        told.dead += dead if keep is None else dead[: max(0, keep - len(told.dead))]
        told.late += late if keep is None else late[: max(0, keep - len(told.late))]

    def end_at(self, time_ms: int) -> Range:
        self._accumulator.advance(time_ms)
        return self._range(self._applied)

    def _range(self, end: int) -> Range:
        folded = self._accumulator.take()
        start, self._applied = self._applied, end
        self.max_time_ms = folded.max_time_ms
        self.tally = self.tally.plus(folded.tally)
        return Range(
            self.name,
            epoch=0,
            start=start,
            end=end,
            max_time_ms=folded.max_time_ms,
            idle=self.exhausted,
            tally=folded.tally,
            cells=tuple(folded.cells.get(0, ())),
        )


def _sources(
    catalogue: Catalogue, recordings: Sequence[Recording], options: ReplayOptions
) -> list[_Source]:
    plan = Plan(catalogue, 1)
    made: list[_Source] = []
    for recording in recordings:
        number = sum(1 for source in made if source.name.startswith(f"{recording.topic}/"))
        made.append(_Source(f"{recording.topic}/{number}", recording, plan, options))
    return made


def _claims(sources: Sequence[_Source]) -> CountsMessage:
    partitions: dict[str, int] = {}
    for source in sources:
        topic = source.name.split("/")[0]
        partitions[topic] = partitions.get(topic, 0) + 1
    claims = tuple(Claim(source.name, 0, "replay", 0, partitions) for source in sources)
    return CountsMessage(0, claims)


def _end_ms(catalogue: Catalogue, sources: Sequence[_Source], options: ReplayOptions) -> int | None:
    """The end of the last pane, or the time asked for; None without events."""
    if options.status_at_ms is not None:
        return options.status_at_ms
    times = [s.max_time_ms for s in sources if s.max_time_ms is not None]
    panes = [indicator.pane_ms for indicator, _ in catalogue.indicators().values()]
    return pane_end(max(times), max(panes, default=1)) if times else None


def _end(end_ms: int | None, sources: Sequence[_Source], options: ReplayOptions) -> CountsMessage:
    """A message that moves the watermark there."""
    if end_ms is None:
        return CountsMessage(0)
    mark = end_ms + options.policy.allowed_lateness_ms + 1
    return CountsMessage(0, (), tuple(source.end_at(mark) for source in sources))


def _until(batch: Batch, at_ms: int) -> Batch:
    kept = [i for i, event in enumerate(batch.events) if int(event.time) <= at_ms]
    if len(kept) == len(batch.events):
        return batch
    return Batch(
        [batch.events[i] for i in kept],
        [batch.offsets[i] for i in kept],
        [batch.values[i] for i in kept],
        [batch.places[i] for i in kept] if batch.places else (),
    )
