"""Adds up the events of one source between two flushes."""

from collections import Counter
from collections.abc import Sequence
from itertools import compress, islice
from typing import NamedTuple

from servicelevel.application.bad_events import BadEvents
from servicelevel.application.by_pane import Pane, by_pane, cell_key
from servicelevel.application.cells import COUNT_BYTES, EVIDENCE_BYTES, OTHER, CellSums, cell_bytes
from servicelevel.application.classify import Plan
from servicelevel.application.decode import Batch
from servicelevel.application.groups import value_text
from servicelevel.application.lateness import Lateness, Revision
from servicelevel.application.service_plan import Outcome, Series
from servicelevel.domain.counts import BadEvidence, Cell, Tally
from servicelevel.domain.model import ANY_SERVICE, EventKind
from servicelevel.domain.outputs import LateEvent
from servicelevel.domain.sketch import bucket
from servicelevel.domain.time import pane_end
from servicelevel.schemas.events import Event

MAX_PENDING = 20_000  # events kept before they are sorted out together
MAX_SUMS = 20_000  # sums by outcome kept before they are added to the cells
MAX_UNKNOWN = 64  # services without indicators that are told apart


class Folded(NamedTuple):
    """What the records since the last flush add up to; cells by partition of `counts`."""

    cells: dict[int, list[Cell]]
    tally: Tally
    max_time_ms: int | None


class _Bad(NamedTuple):
    """Bad events of one outcome, ready for the cells of all its series."""

    service: str
    events: int
    evidence: BadEvidence


class SourceAccumulator:
    """Counts the events of one source, `topic/partition`, for the indicators of a plan.

    A plan that changes is used from the next batch on. Events must come in the order of their
    offsets. `max_time_ms` is the highest event time
    known of the source (None: none yet).
    """

    def __init__(
        self,
        source: str,
        kind: EventKind,
        plan: Plan,
        *,
        allowed_lateness_ms: int,
        late_horizon_ms: int,
        max_time_ms: int | None,
        max_pending: int = MAX_PENDING,
        max_sums: int = MAX_SUMS,
    ) -> None:
        self.source = source
        self._max_pending = max_pending
        self._max_sums = max_sums
        self._plan, self._kind = plan, kind
        self._judge = plan.kind(kind)
        self._lateness = Lateness(source, allowed_lateness_ms, late_horizon_ms, max_time_ms)
        self.unknown_services: Counter[str] = Counter()
        """Events of services that no indicator names, since the start; bounded by `__other__`."""
        self._start()

    def _start(self) -> None:
        self._tally = Tally()
        self._events: list[Event] = []
        self._offsets: list[int] = []
        self._times: list[int] = []
        self._revisions: list[Revision] = []
        self._counts: dict[Pane, Counter[Outcome]] = {}
        self._bad: dict[Pane, BadEvents] = {}
        self._sum_count = self._sum_bytes = 0
        self._sketches: dict[Pane, dict[Series, Counter[int]]] = {}
        self._cells: dict[int, CellSums] = {}

    @property
    def size(self) -> int:
        """What is kept in memory, in events, sums and cells: a reason to flush early."""
        pending = len(self._events) + len(self._revisions)
        return pending + self._sum_count + sum(map(len, self._cells.values()))

    def fills(self, max_bytes: int) -> bool:
        """Whether the cells of a counts partition take about so much in a message, or more."""
        if self._cell_bytes() + self._sum_bytes < max_bytes:
            return False
        self._settle()  # many sums may be of one cell
        return self._cell_bytes() >= max_bytes

    def _cell_bytes(self) -> int:
        return max((sums.bytes_at_most for sums in self._cells.values()), default=0)

    def add(self, batch: Batch, dead: int, repeated: int = 0) -> list[LateEvent]:
        """Count a batch, and what could not be read or was left out; returns the late events.

        A late event with disposition `revision` is counted in the cells too.
        """
        if self._judge is not self._plan.kind(self._kind):
            self._sort_out()  # what came before, as it was defined then
            self._judge = self._plan.kind(self._kind)
        events, offsets, times, revisions, late = self._lateness.split(batch)
        some = len(batch.events)
        read = some + dead + repeated
        self._tally = self._tally.plus(Tally(read, some - len(late), len(late), dead, repeated))
        self._events.extend(events)
        self._offsets.extend(offsets)
        self._times.extend(times)
        self._revisions.extend(revisions)
        worthwhile = min(self._max_pending, self._judge.worthwhile)
        if len(self._events) + len(self._revisions) >= worthwhile:
            self._sort_out()
        return late

    def advance(self, max_time_ms: int) -> None:
        """The source's time moved on, by what an idle mark says."""
        self._lateness.advance(max_time_ms)

    def take(self) -> Folded:
        """All that was added since the last time; begins anew."""
        self._sort_out()
        self._settle()
        cells = {partition: sums.cells() for partition, sums in sorted(self._cells.items())}
        folded = Folded(cells, self._tally, self._lateness.max_time_ms)
        self._start()
        return folded

    def _sort_out(self) -> None:
        """Pending events to sums by pane and outcome."""
        events, offsets, times = self._events, self._offsets, self._times
        self._events, self._offsets, self._times = [], [], []
        if events:
            for end, own, own_offsets in by_pane(events, offsets, times, self._judge.pane_ms):
                self._add(Pane(end), own, own_offsets)
        revisions, self._revisions = self._revisions, []
        for event, offset, watermark_ms in revisions:
            end = pane_end(event.time, self._judge.pane_ms)
            since = pane_end(watermark_ms + 1, self._judge.pane_ms)
            self._add(Pane(end, since), [event], [offset])

    def _add(self, pane: Pane, events: Sequence[Event], offsets: Sequence[int]) -> None:
        """Add events of one pane, in the order of their offsets."""
        outcomes = self._judge.outcomes(events)
        counts = self._counts.get(pane)
        if counts is None:
            counts = self._counts[pane] = Counter()
        before = len(counts)
        counts.update(outcomes)
        if new := len(counts) - before:
            self._sum_count += new
            self._sum_bytes += sum(map(_bytes_of, islice(reversed(counts), new)))
        looks = set(outcomes)
        if bad := {outcome for outcome in looks if outcome.bad}:
            self._add_bad_events(pane, bad, outcomes, events, offsets)
        if self._judge.has_sketches:
            self._sketch(pane, events, outcomes)
        if self._sum_count > self._max_sums:
            self._settle()

    def _add_bad_events(
        self,
        pane: Pane,
        bad: set[Outcome],
        outcomes: Sequence[Outcome],
        events: Sequence[Event],
        offsets: Sequence[int],
    ) -> None:
        into = self._bad.get(pane)
        if into is None:
            into = self._bad[pane] = BadEvents()
        before = len(into)
        chosen = list(map(bad.__contains__, outcomes))
        into.add(
            list(compress(outcomes, chosen)),
            list(compress(events, chosen)),
            list(compress(offsets, chosen)),
        )
        self._sum_count += len(into) - before

    def _sketch(self, pane: Pane, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Count the values of events, by series and bucket."""
        sketched = {outcome: outcome.sketched for outcome in set(outcomes)}
        into = self._sketches.setdefault(pane, {})
        for event, outcome in zip(events, outcomes, strict=True):
            for series in sketched[outcome]:
                if series.compiled.value is not None:
                    sketch = into.get(series)
                    if sketch is None:
                        sketch = into[series] = Counter()
                    at = bucket(series.compiled.value(event))
                    if at not in sketch:
                        self._sum_bytes += COUNT_BYTES
                    sketch[at] += 1

    def _settle(self) -> None:
        """Sums to cells."""
        for pane, counts in self._counts.items():
            good: dict[Series, int] = {}
            bad: dict[Series, list[_Bad]] = {}
            evidence = self._bad[pane].evidence(self.source) if pane in self._bad else {}
            for outcome, count in counts.items():
                if not outcome.is_known:
                    self._count_unknown(outcome.service, count)
                for series in outcome.good:
                    good[series] = good.get(series, 0) + count
                if outcome.bad:
                    part = _Bad(outcome.service, count, evidence[outcome])
                    for series in outcome.bad:
                        bad.setdefault(series, []).append(part)
            for series, count in good.items():
                self._cells_of(series).add(cell_key(series, pane), count, count)
            for series, parts in bad.items():
                self._add_bad(pane, series, parts)
        for pane, sketches in self._sketches.items():
            for series, sketch in sketches.items():
                self._cells_of(series).add_sketch(cell_key(series, pane), sketch)
        self._counts = {}
        self._bad = {}
        self._sum_count = self._sum_bytes = 0
        self._sketches = {}

    def _add_bad(self, pane: Pane, series: Series, parts: Sequence[_Bad]) -> None:
        count = sum(part.events for part in parts)
        evidence = [part.evidence for part in parts]
        if series.compiled.indicator.service == ANY_SERVICE:
            services: Counter[str] = Counter()
            for part in parts:
                services[f"service={value_text(part.service)}"] += part.events
            evidence.append(BadEvidence({}, services))
        self._cells_of(series).add(cell_key(series, pane), 0, count, *evidence)

    def _cells_of(self, series: Series) -> CellSums:
        partition = series.compiled.partition
        sums = self._cells.get(partition)
        if sums is None:
            sums = self._cells[partition] = CellSums()
        return sums

    def _count_unknown(self, service: str, count: int) -> None:
        if service not in self.unknown_services and len(self.unknown_services) >= MAX_UNKNOWN:
            service = OTHER
        self.unknown_services[service] += count


def _bytes_of(outcome: Outcome) -> int:
    """About what cells take that are of nothing else."""
    good = sum(cell_bytes(s.compiled.indicator.id, s.group) for s in outcome.good)
    bad = sum(cell_bytes(s.compiled.indicator.id, s.group) for s in outcome.bad)
    return good + bad + EVIDENCE_BYTES * len(outcome.bad)
