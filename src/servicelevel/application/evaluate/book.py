"""All series of one counts partition, and all that is judged of them, by indicator and group."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import gcd

from servicelevel.application.cells import OTHER
from servicelevel.application.evaluate.judged import Judged, Part
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.promise import (
    Promise,
    composite_promise,
    lens_of,
    promise_of,
)
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.watch import Watch
from servicelevel.domain.ladder import Ladder
from servicelevel.domain.lens import Lens
from servicelevel.domain.model import Catalogue, Indicator, Slo
from servicelevel.domain.partitioning import counts_partition

TOTAL = ""
"""The group of all events."""

UNKNOWN = Indicator("", "request", "", "", "")
"""Stands for an indicator that only others know yet."""


@dataclass(slots=True)
class Row:
    """One indicator and group: its series, and what is judged of it alone."""

    series: Series
    judged: list[Judged] = field(default_factory=list)


class Book:
    """Makes series as cells of them appear; those of unknown indicators are kept all the same."""

    def __init__(
        self, catalogue: Catalogue, policy: EvaluationPolicy, partition: int, partitions: int
    ) -> None:
        self._policy = policy
        self._indicators: dict[str, Indicator] = {}
        self._promises: dict[str, dict[tuple[Lens, int], list[Promise]]] = {}
        self._composites: list[Slo] = []
        self._rows: dict[str, dict[str, Row]] = {}
        self._together: dict[tuple[str, str], Judged] = {}
        self._lookers: dict[int, list[Judged]] = {}  # by the id of a series
        self._new: list[Judged] = []
        self.step_ms = 0
        """The ends of all units that are judged are multiples of it."""
        homes = catalogue.indicators()
        for slo in catalogue.slos.values():
            here = [
                o
                for o in slo.objectives
                if counts_partition(homes[o.indicator.id][1], partitions) == partition
            ]
            for objective in here:
                indicator = homes[objective.indicator.id][0]
                self._indicators[indicator.id] = indicator
                alike = self._promises.setdefault(indicator.id, {})
                key = (lens_of(slo, objective), slo.window_ms)
                alike.setdefault(key, []).append(promise_of(slo, objective))
            if here and slo.composite is not None:
                self._composites.append(slo)
        for indicator_id in self._indicators:
            self.row(indicator_id, TOTAL)

    def rows(self) -> Iterator[Row]:
        """Every indicator and group."""
        return chain.from_iterable(groups.values() for groups in self._rows.values())

    def judged(self) -> Iterator[Judged]:
        """All that is judged."""
        for row in self.rows():
            yield from row.judged
        yield from self._together.values()

    def judged_of(self, series: Iterable[Series]) -> Iterator[Judged]:
        """All that looks at one of these series, each once."""
        found = (judged for each in series for judged in self._lookers.get(id(each), ()))
        yield from {id(judged): judged for judged in found}.values()

    def take_new(self) -> list[Judged]:
        """All that was made since the last call."""
        new, self._new = self._new, []
        return new

    def watches(self) -> Iterator[tuple[Judged, Watch]]:
        """Every watch with what it looks at."""
        for judged in self.judged():
            for watch in judged.watches:
                yield judged, watch

    def admit(self, indicator_id: str, group: str) -> str:
        """The group itself, or the one of all others where there are too many already."""
        groups = self._rows.get(indicator_id, {})
        if group in groups:
            return group
        known = len(groups) - (TOTAL in groups) - (OTHER in groups)
        indicator = self._indicators.get(indicator_id, UNKNOWN)
        return group if known < indicator.max_groups else OTHER

    def row(self, indicator_id: str, group: str) -> Row:
        """The one of this indicator and group, made where it is new."""
        groups = self._rows.setdefault(indicator_id, {})
        found = groups.get(group)
        if found is None:
            found = groups[group] = self._make(indicator_id, group)
            self._join(indicator_id, group)
        return found

    def family(self, row: Row) -> list[Row]:
        """The rows of this group that composites join, which are forgotten together."""
        ids = {row.series.indicator}
        joined = [{o.indicator.id for o in slo.objectives} for slo in self._composites]
        while more := set().union(*(each for each in joined if each & ids)) - ids:
            ids |= more
        group = row.series.group
        return [self._rows[each][group] for each in sorted(ids) if group in self._rows[each]]

    def forget(self, row: Row) -> list[Judged]:
        """Take out a group, and the composites that it was a part of; all that was judged."""
        series = row.series
        del self._rows[series.indicator][series.group]
        self._lookers.pop(id(series), None)
        gone = list(row.judged)
        for key, judged in list(self._together.items()):
            if series in judged.series:
                gone.append(self._together.pop(key))
        return gone

    def ttl_ms(self, series: Series) -> int:
        """How long a group without events is kept."""
        ttl_ms = self._indicators.get(series.indicator, UNKNOWN).group_ttl_ms
        return series.kept_ms(self._policy.retention_ms) if ttl_ms is None else ttl_ms

    def _make(self, indicator_id: str, group: str) -> Row:
        indicator = self._indicators.get(indicator_id, UNKNOWN)
        series = Series(indicator_id, group, indicator.pane_ms, self._ladder(indicator))
        series.slice_ms = indicator.slice_ms or indicator.pane_ms
        alike = self._promises.get(indicator_id, {})
        judged = [self._judge([Part(series, lens)], p, group) for (lens, _), p in alike.items()]
        return Row(series, judged)

    def _ladder(self, indicator: Indicator) -> Ladder:
        ladder = self._policy.ladder.for_pane(indicator.pane_ms)
        return ladder.for_slices(indicator.slice_ms) if indicator.slice_ms else ladder

    def _judge(self, parts: list[Part], promises: Iterable[Promise], group: str) -> Judged:
        severity = self._policy.breach_severity
        judged = Judged(parts, [Watch(promise, group, severity) for promise in promises])
        self._new.append(judged)
        self.step_ms = gcd(self.step_ms, judged.step_ms)
        reach_ms = max(watch.promise.reach_ms for watch in judged.watches)
        for part in parts:
            part.series.watched(judged.step_ms, reach_ms)
            self._lookers.setdefault(id(part.series), []).append(judged)
        return judged

    def _join(self, indicator_id: str, group: str) -> None:
        """Composites over this group, once one of their parts has it."""
        for slo in self._composites:
            ids = [objective.indicator.id for objective in slo.objectives]
            if slo.composite is None or indicator_id not in ids:
                continue
            if (slo.name, group) in self._together:
                continue
            rows = {each: self._rows.get(each, {}).get(group) for each in ids}
            if any(row is None for row in rows.values()):
                missing = next(each for each, row in rows.items() if row is None)
                self.row(missing, group)  # which joins it when it is the last
                continue
            parts = [
                Part(row.series, lens_of(slo, objective), weight)
                for objective, weight in zip(slo.objectives, slo.composite.weights, strict=True)
                if (row := rows[objective.indicator.id]) is not None
            ]
            promise = composite_promise(slo, slo.composite)
            self._together[slo.name, group] = self._judge(parts, [promise], group)
