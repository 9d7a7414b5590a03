"""From records as the broker keeps them to events, in batches; what cannot be read is told so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from servicelevel.application.event_decoder import EventDecoder
from servicelevel.application.lines import Lines, offsets_of, values_of
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import RawRecord
from servicelevel.application.unroll import Place
from servicelevel.domain.model import EventKind
from servicelevel.domain.outputs import DeadLetter
from servicelevel.errors import EventError
from servicelevel.schemas.events import Event

_SLICES = (500, 50)
"""Records decoded in one call. More at first is slower: the events leave the processor's cache."""

_LONGEST_DETAIL = 500  # characters; it may quote the record, which comes whole anyway


class Batch(NamedTuple):
    """Events with the offset and the raw value of each: sequences of one length.

    Where records are unrolled, a value is the event's own part of its record, and `places` says
    where in the record that was; else `places` is empty.
    """

    events: list[Event]
    offsets: Sequence[int]
    values: Sequence[bytes]
    places: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What is refused for its size, in bytes, or for being ahead of the wall clock, in ms."""

    max_event_bytes: int = 1_048_576
    max_future_ms: int = 300_000


def decode_batch(
    records: Sequence[RawRecord],
    *,
    topic: str,
    partition: int,
    kind: EventKind,
    now_ms: int,
    limits: DecodeLimits,
    mapping: SourceMapping | None = None,
) -> tuple[Batch, list[DeadLetter]]:
    """Every record becomes an event with its `time` in epoch ms, or a dead letter; never raises.

    With a mapping that unrolls or selects, a record becomes any number of events, and at most one
    dead letter, for the first of them that cannot be read. Both keep the records' order. `now_ms`
    is the wall clock, for refusing times in the future.
    """
    decoder = EventDecoder(kind, now_ms + limits.max_future_ms, limits.max_event_bytes, mapping)
    events, offsets, values = list[Event](), list[int](), list[bytes]()
    places, dead = list[Place](), list[DeadLetter]()
    for part, together in _decoded(decoder, records, _slices(records)):
        if together is not None:
            # `together` has seen that none of them is None.
            own = cast("Sequence[bytes]", values_of(part))
            if len(part) == len(records):  # most are, and need no lists of their own
                return Batch(together, offsets_of(part), own), dead
            events.extend(together)
            offsets.extend(offsets_of(part))
            values.extend(own)
            continue
        for record in part:
            try:
                for event, value, place in decoder.each(record):
                    events.append(event)
                    offsets.append(record.offset)
                    values.append(value)
                    if place:
                        places.append(place)
            except EventError as error:
                dead.append(_dead_letter(record, topic, partition, error))
    return Batch(events, offsets, values, places or ()), dead


def _slices(records: Sequence[RawRecord]) -> Sequence[int]:
    """Lines were read in pieces of a good size."""
    return (max(1, len(records)), _SLICES[1]) if isinstance(records, Lines) else _SLICES


def _decoded(
    decoder: EventDecoder, records: Sequence[RawRecord], sizes: Sequence[int]
) -> Iterator[tuple[Sequence[RawRecord], list[Event] | None]]:
    """Parts of the records, in order, with their events, or None: to be read one by one.

    A slice that does not decode is tried again in smaller ones, so that a bad record costs only
    its neighbours time.
    """
    size, *smaller = sizes
    for start in range(0, len(records), size):
        part = records[start : start + size]
        events = decoder.together(part)
        if events is None and smaller:
            yield from _decoded(decoder, part, smaller)
        else:
            yield part, events


def _dead_letter(record: RawRecord, topic: str, partition: int, error: EventError) -> DeadLetter:
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=record.offset,
        reason=error.reason,
        detail=error.detail[:_LONGEST_DETAIL],
        value=record.value,
        key=record.key,
        timestamp_ms=record.timestamp,
    )
