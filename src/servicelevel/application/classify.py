"""Which indicators an event counts for, decided once for all events that look the same."""

from collections import defaultdict
from collections.abc import Sequence
from math import gcd

from servicelevel.application.service_plan import (
    CompiledIndicator,
    Looks,
    Outcome,
    ServicePlan,
    compile_indicator,
    sight_of,
)
from servicelevel.application.signature import Column, Sight, columns
from servicelevel.domain.model import ANY_SERVICE, Catalogue, EventKind
from servicelevel.domain.partitioning import counts_partition
from servicelevel.schemas.events import Event

MAX_REMEMBERED = 200_000  # signatures whose outcomes are kept for an event kind, over all services
_KINDS: tuple[EventKind, ...] = ("request", "incident", "change")
_FEW_LOOKS = 20_000  # that are learned soon, and found again in the processor's cache
_WORTHWHILE = 250  # events of all services at once; they are still in the processor's cache
_WORTHWHILE_APART = 20_000  # of which each service has enough, and with groups too many cells


class KindPlan:
    """What the events of one kind count for, whatever their services.

    Where the services' indicators look at events alike, one table of looks serves them all; else
    events are parted by service first, which costs more for each (`is_shared` is false). `pane_ms`
    divides all panes; `worthwhile` is how many events are best judged at once.
    """

    def __init__(
        self, kind: EventKind, compiled: Sequence[CompiledIndicator], max_remembered: int
    ) -> None:
        self.pane_ms = gcd(*(each.indicator.pane_ms for each in compiled)) or 1
        self.has_sketches = any(each.value is not None for each in compiled)
        self.services = _by_service(kind, compiled, max_remembered)
        shared = self._shared_columns(kind, sight_of(compiled, kind))
        self.is_shared = shared is not None
        self._looks: Looks | None = None
        if shared is not None:
            self._looks = Looks(shared, self._judge, self._forget, max_remembered)
        has_groups = any(each.indicator.group_by for each in compiled)
        self.worthwhile = _WORTHWHILE if self.is_shared or has_groups else _WORTHWHILE_APART

    def outcomes(self, events: Sequence[Event]) -> list[Outcome]:
        """The outcome of each event."""
        return self._outcomes_apart(events) if self._looks is None else self._looks.outcomes(events)

    def _shared_columns(self, kind: EventKind, sight: Sight) -> list[Column] | None:
        """Columns for all services, unless looks are then much more than for each by itself."""
        own = [plan.sight for plan in self.services.values()]
        if any(each.raw != sight.raw for each in own):
            return None
        looks = sight.looks * len(own)
        if looks > max(_FEW_LOOKS, 2 * sum(each.looks for each in own)):
            return None
        return columns(kind, Sight(sight.raw | {"service"}, sight.thresholds, sight.choices))

    def _forget(self) -> None:
        for plan in self.services.values():
            plan.forget()

    def _judge(self, event: Event) -> Outcome:
        plan = self._plan_of(event.service)
        return _unknown(event.service) if plan is None else plan.judge(event)

    def _outcomes_apart(self, events: Sequence[Event]) -> list[Outcome]:
        services = [event.service for event in events]
        if len(set(services)) == 1:
            return self._outcomes_of(services[0], events)
        places: defaultdict[str, list[int]] = defaultdict(list)
        for i, service in enumerate(services):
            places[service].append(i)
        found: dict[int, Outcome] = {}
        for service, own in places.items():
            found.update(
                zip(own, self._outcomes_of(service, [events[i] for i in own]), strict=True)
            )
        return [found[i] for i in range(len(events))]

    def _outcomes_of(self, service: str, events: Sequence[Event]) -> list[Outcome]:
        plan = self._plan_of(service)
        return [_unknown(service)] * len(events) if plan is None else plan.outcomes(events)

    def _plan_of(self, service: str) -> ServicePlan | None:
        return self.services.get(service) or self.services.get(ANY_SERVICE)


class Plan:
    """All indicators of a catalogue, compiled, by event kind and service.

    Who counts by it looks at it anew with each batch of events, so a change takes effect there.
    Raises CelError if an expression of the catalogue cannot be compiled.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        counts_partitions: int,
        *,
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        compiled = [
            compile_indicator(indicator, counts_partition(home, counts_partitions))
            for indicator, home in catalogue.indicators().values()
        ]
        self._by_kind = {
            kind: KindPlan(kind, [c for c in compiled if c.indicator.event == kind], max_remembered)
            for kind in _KINDS
        }

    def kind(self, kind: EventKind) -> KindPlan:
        """How events of a kind are judged; another object after a change."""
        return self._by_kind[kind]

    def services(self, kind: EventKind) -> dict[str, ServicePlan]:
        """The plan of each service that an indicator names, and under "*" that of all others.

        Without indicators of any service there is no "*".
        """
        return self._by_kind[kind].services

    def change_to(self, other: "Plan") -> None:
        """Be as the other, which is not used any more."""
        self._by_kind = other._by_kind


def _unknown(service: str) -> Outcome:
    return Outcome(service, (), (), is_known=False)


def _by_service(
    kind: EventKind, compiled: Sequence[CompiledIndicator], max_remembered: int
) -> dict[str, ServicePlan]:
    found: dict[str, list[CompiledIndicator]] = {}
    for each in compiled:
        found.setdefault(each.indicator.service, []).append(each)
    of_any = found.get(ANY_SERVICE, [])
    share = max(1, max_remembered // max(1, len(found)))
    return {
        service: ServicePlan(
            service, kind, own if service == ANY_SERVICE else [*own, *of_any], share
        )
        for service, own in found.items()
    }
