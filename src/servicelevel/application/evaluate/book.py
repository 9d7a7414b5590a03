"""All series and watches of one counts partition, found by indicator and group."""

from collections.abc import Iterable, Iterator

from servicelevel.application.evaluate.judged import Judged
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.watch import Watch, windows_of
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.partitioning import counts_partition

UNKNOWN_PANE_MS = 10_000
SLICES_SUFFIX = "~slices"


class Book:
    """Makes series as cells of them appear; those of unknown indicators are kept all the same."""

    def __init__(
        self, catalogue: Catalogue, policy: EvaluationPolicy, partition: int, partitions: int
    ) -> None:
        self._policy = policy
        self._indicators: dict[str, Indicator] = {}
        self._objectives: dict[str, list[tuple[Slo, Objective]]] = {}
        self._judged: dict[tuple[str, str], Judged] = {}
        homes = catalogue.indicators()
        for slo in catalogue.slos.values():
            for objective in slo.objectives:
                indicator, home = homes[objective.indicator.id]
                if counts_partition(home, partitions) == partition:
                    self._indicators[indicator.id] = indicator
                    self._objectives.setdefault(indicator.id, []).append((slo, objective))
        for indicator in self._indicators.values():
            if not indicator.group_by:
                self.judged(indicator.id, "")

    def __iter__(self) -> Iterator[Judged]:
        return iter(self._judged.values())

    def watches(self) -> Iterator[tuple[Judged, Watch]]:
        """Every watch with what it looks at."""
        for judged in self._judged.values():
            for watch in judged.watches:
                yield judged, watch

    def judged(self, indicator_id: str, group: str) -> Judged:
        """The one of this indicator and group, made where it is new."""
        key = (indicator_id, group)
        found = self._judged.get(key)
        if found is None:
            found = self._judged[key] = self._make(indicator_id, group)
        return found

    def series(self, stored_indicator: str, group: str) -> Series:
        """The series that a stored key names."""
        if stored_indicator.endswith(SLICES_SUFFIX):
            judged = self.judged(stored_indicator.removesuffix(SLICES_SUFFIX), group)
            return judged.series
        return self.judged(stored_indicator, group).counted

    def _make(self, indicator_id: str, group: str) -> Judged:
        indicator = self._indicators.get(indicator_id)
        objectives = self._objectives.get(indicator_id, [])
        lengths = {w for slo, objective in objectives for w in windows_of(slo, objective)}
        throughput = indicator.throughput if indicator else None
        pane_ms = indicator.pane_ms if indicator else UNKNOWN_PANE_MS
        slices: Series | None = None
        if throughput is not None:
            slices = self._series(
                indicator_id + SLICES_SUFFIX, group, throughput.interval_ms, lengths
            )
            lengths = set()
        judged = Judged(self._series(indicator_id, group, pane_ms, lengths), slices, throughput)
        judged.watches = [
            Watch(slo, objective, group, self._policy.breach_severity)
            for slo, objective in objectives
        ]
        return judged

    def _series(
        self, indicator: str, group: str, pane_ms: int, lengths_ms: Iterable[int]
    ) -> Series:
        return Series(indicator, group, pane_ms, self._policy.ladder, lengths_ms)
