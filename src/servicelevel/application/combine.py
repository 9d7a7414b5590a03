"""Adds up the events of one source between two flushes."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import NamedTuple

from servicelevel.application.cells import OTHER, CellKey, CellSums, GrowingEvidence
from servicelevel.application.classify import Outcome, Plan, Series, ServicePlan
from servicelevel.application.decode import Batch
from servicelevel.application.groups import value_text
from servicelevel.application.lateness import Lateness, Revision
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


class _Sum:
    """How many events had one outcome, and of bad ones where they were."""

    __slots__ = ("count", "evidence")

    def __init__(self) -> None:
        self.count = 0
        self.evidence: GrowingEvidence | None = None


class _Bad(NamedTuple):
    """Bad events of one outcome, ready for the cells of all its series."""

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
        self._services = plan.services(kind)
        self._lateness = Lateness(source, allowed_lateness_ms, late_horizon_ms, max_time_ms)
        self.unknown_services: Counter[str] = Counter()
        """Events of services that no indicator names, since the start; bounded by `__other__`."""
        self._start()

    def _start(self) -> None:
        self._tally = Tally()
        self._events: list[Event] = []
        self._offsets: list[int] = []
        self._revisions: list[Revision] = []
        self._sums: dict[_Pane, dict[Outcome, _Sum]] = {}
        self._sum_count = 0
        self._sketches: dict[_Pane, dict[Series, Counter[int]]] = {}
        self._cells: dict[int, CellSums] = {}

    @property
    def size(self) -> int:
        """What is kept in memory, in events, sums and cells: a reason to flush early."""
        pending = len(self._events) + len(self._revisions)
        return pending + self._sum_count + sum(map(len, self._cells.values()))

    def add(self, batch: Batch, dead: int) -> list[LateEvent]:
        """Count a batch, and records that could not be read; returns the late events.

        A late event with disposition `revision` is counted in the cells too.
        """
        if self._services is not self._plan.services(self._kind):
            self._sort_out()  # what came before, as it was defined then
            self._services = self._plan.services(self._kind)
        events, offsets, revisions, late = self._lateness.split(batch)
        read = len(batch.events)
        self._tally = self._tally.plus(Tally(read + dead, read - len(late), len(late), dead))
        self._events.extend(events)
        self._offsets.extend(offsets)
        self._revisions.extend(revisions)
        if len(self._events) + len(self._revisions) >= self._max_pending:
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
        """Pending events to sums by service, pane and outcome."""
        events, offsets = self._events, self._offsets
        self._events, self._offsets = [], []
        for service, indices in _by_service(events).items():
            plan = self._services.get(service) or self._services.get(ANY_SERVICE)
            if plan is None:
                self._count_unknown(service, len(indices))
                continue
            own = [events[i] for i in indices]
            own_offsets = [offsets[i] for i in indices]
            for end, chosen in _by_pane(own, plan):
                pane = _Pane(service, end)
                if chosen is None:
                    self._add(pane, plan, own, own_offsets)
                else:
                    some = [own[i] for i in chosen]
                    self._add(pane, plan, some, [own_offsets[i] for i in chosen])
        self._sort_out_revisions()

    def _sort_out_revisions(self) -> None:
        revisions, self._revisions = self._revisions, []
        for event, offset, watermark_ms in revisions:
            plan = self._services.get(event.service) or self._services.get(ANY_SERVICE)
            if plan is None:
                self._count_unknown(event.service, 1)
                continue
            end = pane_end(event.time, plan.pane_ms)
            since = pane_end(watermark_ms + 1, plan.pane_ms)
            self._add(_Pane(event.service, end, since), plan, [event], [offset])

    def _add(
        self, pane: "_Pane", plan: ServicePlan, events: Sequence[Event], offsets: Sequence[int]
    ) -> None:
        """Add events of one service and pane."""
        sums = self._sums.setdefault(pane, {})
        before = len(sums)
        outcomes = plan.outcomes(events)
        bad: dict[Outcome, list[int]] = {}
        for outcome, count in Counter(outcomes).items():
            into = sums.get(outcome)
            if into is None:
                into = sums[outcome] = _Sum()
            into.count += count
            if outcome.bad:
                bad[outcome] = []
        if bad:
            for i in compress(range(len(outcomes)), map(bad.__contains__, outcomes)):
                bad[outcomes[i]].append(i)
        if plan.has_sketches:
            self._sketch(pane, events, outcomes)
        for outcome, indices in bad.items():
            span = {self.source: (offsets[indices[0]], offsets[indices[-1]])}
            into = sums[outcome]
            if into.evidence is None:
                into.evidence = GrowingEvidence()
            into.evidence.add(GrowingEvidence(span, _dimensions([events[i] for i in indices])))
        self._sum_count += len(sums) - before
        if self._sum_count > self._max_sums:
            self._settle()

    def _sketch(self, pane: "_Pane", events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Count the values of events, by series and bucket."""
        sketched = {outcome: outcome.sketched for outcome in set(outcomes)}
        into = self._sketches.setdefault(pane, {})
        for event, outcome in zip(events, outcomes, strict=True):
            for series in sketched[outcome]:
                if series.compiled.value is not None:
                    sketch = into.get(series)
                    if sketch is None:
                        sketch = into[series] = Counter()
                    sketch[bucket(series.compiled.value(event))] += 1

    def _settle(self) -> None:
        """Sums to cells."""
        for pane, sums in self._sums.items():
            good: dict[Series, int] = {}
            bad: dict[Series, list[_Bad]] = {}
            for outcome, found in sums.items():
                for series in outcome.good:
                    good[series] = good.get(series, 0) + found.count
                if found.evidence is not None:
                    part = _Bad(found.count, found.evidence.freeze())
                    for series in outcome.bad:
                        bad.setdefault(series, []).append(part)
            for series, count in good.items():
                self._cells_of(series).add(_key(series, pane), count, count)
            for series, parts in bad.items():
                self._add_bad(pane, series, parts)
        for pane, sketches in self._sketches.items():
            for series, sketch in sketches.items():
                self._cells_of(series).add_sketch(_key(series, pane), sketch)
        self._sums = {}
        self._sum_count = 0
        self._sketches = {}

    def _add_bad(self, pane: "_Pane", series: Series, parts: Sequence[_Bad]) -> None:
        count = sum(part.events for part in parts)
        evidence = [part.evidence for part in parts]
        if series.compiled.indicator.service == ANY_SERVICE:
            evidence.append(BadEvidence({}, {f"service={value_text(pane.service)}": count}))
        self._cells_of(series).add(_key(series, pane), 0, count, *evidence)

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


class _Pane(NamedTuple):
    """A pane of the plan; revisions count since a later one (0: on time)."""

    service: str
    end_ms: int
    since_ms: int = 0


def _key(series: Series, pane: _Pane) -> CellKey:
    """The cell's key; the plan's pane lies within one of the indicator's."""
    indicator = series.compiled.indicator
    end_ms = pane_end(pane.end_ms, indicator.pane_ms)
    # The indicator's longer pane may be incomplete still: then this is no revision of it.
    is_revision = end_ms < pane.since_ms
    since_ms = pane_end(pane.since_ms, indicator.pane_ms) if is_revision else 0
    return indicator.id, series.group, end_ms, since_ms


def _by_service(events: Sequence[Event]) -> dict[str, Sequence[int]]:
    services = [event.service for event in events]
    if len(set(services)) == 1:
        return {services[0]: range(len(services))}
    found: defaultdict[str, list[int]] = defaultdict(list)
    for i, service in enumerate(services):
        found[service].append(i)
    return {**found}


def _by_pane(
    events: Sequence[Event], plan: ServicePlan
) -> Iterable[tuple[int, Sequence[int] | None]]:
    """Ends of panes, each with the indices of its events (None: all of them)."""
    times = [event.time for event in events]
    first, last = pane_end(min(times), plan.pane_ms), pane_end(max(times), plan.pane_ms)
    if first == last:
        return [(first, None)]
    found: dict[int, list[int]] = {}
    for i, time in enumerate(times):
        found.setdefault(pane_end(time, plan.pane_ms), []).append(i)
    return found.items()


def _dimensions(events: Sequence[Event]) -> dict[str, int]:
    operations: dict[str | None, int] = {}
    statuses: dict[int | None, int] = {}
    for event in events:
        operations[event.operation] = operations.get(event.operation, 0) + 1
        statuses[event.status_code] = statuses.get(event.status_code, 0) + 1
    operations.pop(None, None)
    statuses.pop(None, None)
    found = {f"status_code={status}": count for status, count in statuses.items()}
    for operation, count in operations.items():
        found[f"operation={value_text(operation)}"] = count
    return found
