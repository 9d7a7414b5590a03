"""Which events of a source are late: a pure function of its log, however it was batched."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from operator import sub
from typing import NamedTuple

from servicelevel.application.decode import Batch
from servicelevel.application.unroll import Place
from servicelevel.domain.outputs import LateEvent
from servicelevel.schemas.events import Event


class Revision(NamedTuple):
    """A late event that is counted, and the source's watermark that it was behind."""

    event: Event
    offset: int
    watermark_ms: int


class Split(NamedTuple):
    """Events on time with their offsets and times, those that revise, and all that are late."""

    events: Sequence[Event]
    offsets: Sequence[int]
    times: Sequence[int]
    revisions: Sequence[Revision]
    late: list[LateEvent]


@dataclass(slots=True)
class Lateness:
    """Follows the highest time of one source, `topic/partition`.

    An event is late if, in the order of offsets, an earlier one is more than
    `allowed_lateness_ms` ahead of it; by more than `late_horizon_ms` beyond that it is dropped.
    """

    source: str
    allowed_lateness_ms: int
    late_horizon_ms: int
    max_time_ms: int | None = None

    def advance(self, max_time_ms: int) -> None:
        """Somebody else saw the source's time move on."""
        if self.max_time_ms is None or max_time_ms > self.max_time_ms:
            self.max_time_ms = max_time_ms

    def split(self, batch: Batch) -> Split:
        """Tell events on time from late ones."""
        times = [event.time for event in batch.events]
        if not times:
            return Split((), (), (), (), [])
        ordered = sorted(times)
        if self._is_on_time(times, ordered):
            self.advance(ordered[-1])
            return Split(batch.events, batch.offsets, times, (), [])
        return self._split_each(batch)

    def _is_on_time(self, times: Sequence[int], ordered: Sequence[int]) -> bool:
        """Whether none of these, which are in the order of offsets, is late."""
        newest = times[0] if self.max_time_ms is None else self.max_time_ms
        behind = newest - times[0]
        if times != ordered:
            behind = max(map(sub, accumulate(times, max, initial=newest), times))
        return behind <= self.allowed_lateness_ms

    def _split_each(self, batch: Batch) -> Split:
        events: list[Event] = []
        offsets: list[int] = []
        revisions: list[Revision] = []
        late: list[LateEvent] = []
        places = batch.places or repeat((), len(batch.events))
        for event, offset, value, place in zip(*batch[:3], places, strict=True):
            found = self._late(event, offset, value, place)
            if found is None:
                events.append(event)
                offsets.append(offset)
            else:
                late.append(found)
                if found.disposition == "revision":
                    revisions.append(Revision(event, offset, found.watermark_ms))
            self.advance(event.time)
        return Split(events, offsets, [event.time for event in events], revisions, late)

    def _late(self, event: Event, offset: int, value: bytes, place: Place) -> LateEvent | None:
        if self.max_time_ms is None:
            return None
        behind = self.max_time_ms - event.time
        if behind <= self.allowed_lateness_ms:
            return None
        topic, _, partition = self.source.rpartition("/")
        dropped = behind > self.allowed_lateness_ms + self.late_horizon_ms
        return LateEvent(
            topic=topic,
            partition=int(partition),
            offset=offset,
            service=event.service,
            time_ms=event.time,
            watermark_ms=self.max_time_ms - self.allowed_lateness_ms - 1,
            lateness_ms=behind,
            disposition="dropped" if dropped else "revision",
            value=value,
            place=place,
        )
