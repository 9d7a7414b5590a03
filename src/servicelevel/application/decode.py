"""From records as the broker keeps them to events, in batches; what cannot be read is told so.

A slice of records is decoded in one call, as that is four times faster than one by one. It
must come to the same: `_decode_together` gives up wherever it might not, and then each record
of the slice is read on its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import msgspec

from servicelevel.application.envelope import MARK, Letter, has_envelope, open_envelope
from servicelevel.application.event_time import (
    EARLIEST_MS,
    RFC3339_LENGTH,
    rest_ms,
    second_ms,
    time_ms,
)
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import RawRecord
from servicelevel.application.refusal import (
    DEEP_BYTES,
    Reason,
    is_too_deep,
    refusal,
    refuse_value,
)
from servicelevel.domain.model import EventKind
from servicelevel.domain.outputs import DeadLetter
from servicelevel.errors import EventError
from servicelevel.schemas.events import EVENT_TYPES, ChangeEvent, Event

_SLICE = 500  # more is slower: the events no longer fit the processor's cache
_PROBABLY_MICROSECONDS = 100_000_000_000_000
_LONGEST_DETAIL = 500  # characters; it may quote the record, which comes whole anyway
_ANY = msgspec.json.Decoder()


class Batch(NamedTuple):
    """Events with the offset and the raw value of each: three lists of one length."""

    events: list[Event]
    offsets: list[int]
    values: list[bytes]


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

    Both keep the records' order. `now_ms` is the wall clock, for refusing times in the future.
    """
    decoder = _EventDecoder(kind, now_ms + limits.max_future_ms, limits.max_event_bytes, mapping)
    batch, dead = Batch([], [], []), list[DeadLetter]()
    for start in range(0, len(records), _SLICE):
        part = records[start : start + _SLICE]
        if (events := decoder.together(part)) is not None:
            batch.events.extend(events)
            batch.offsets.extend([record.offset for record in part])
            # `together` has seen that none of them is None.
            batch.values.extend(cast("list[bytes]", [record.value for record in part]))
            continue
        for record in part:
            try:
                event = decoder.alone(record)
            except EventError as error:
                dead.append(_dead_letter(record, topic, partition, error))
            else:
                batch.events.append(event)
                batch.offsets.append(record.offset)
                batch.values.append(record.value or b"")
    return batch, dead


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


class _EventDecoder:
    """Decodes events of one kind; `latest_ms` is the last time that is not in the future."""

    def __init__(
        self, kind: EventKind, latest_ms: int, max_bytes: int, mapping: SourceMapping | None
    ) -> None:
        self._kind = kind
        self._decoder = msgspec.json.Decoder(EVENT_TYPES[kind])
        self._latest_ms = latest_ms
        self._max_bytes = max_bytes
        self._mapping = mapping

    def together(self, records: Sequence[RawRecord]) -> list[Event] | None:
        """All events of a slice, or None if each record needs a look of its own."""
        if self._mapping is not None or _any_envelope(records):
            return None
        values = [record.value for record in records]
        if None in values:
            return None
        joined = _join(cast("list[bytes]", values), self._max_bytes)
        if joined is None:
            return None
        try:
            events = self._decoder.decode_lines(joined)
            if len(events) != len(values):
                return None
            if self._kind == "change":
                for event in events:
                    _settle(event, self._latest_ms)
            else:
                _settle_all(events, self._latest_ms)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError):
            return None
        return events

    def alone(self, record: RawRecord) -> Event:
        """The event of one record; EventError if there is none."""
        value = refuse_value(record.value, self._max_bytes)
        try:
            value = self._as_utf8(value)
            letter = open_envelope(value, record.headers)
            event = self._open(letter)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError) as error:
            raise refusal(value, error) from error
        _settle(event, self._latest_ms)
        return event

    def _as_utf8(self, value: bytes) -> bytes:
        """Fields we do not read must be UTF-8, too: RFC 8259 knows no other JSON."""
        if value.isascii():
            return value
        if self._mapping is not None and self._mapping.replace_invalid_utf8:
            return value.decode(errors="replace").encode()
        value.decode()
        return value

    def _open(self, letter: Letter) -> Event:
        if self._mapping is None:
            event = self._decoder.decode(letter.data)
        else:
            event = self._mapping.event(_ANY.decode(letter.data))
        if event.id is None:
            event.id = letter.id
        if event.time is None:
            event.time = cast("int", letter.time)  # settled in a moment
        return event


def _any_envelope(records: Sequence[RawRecord]) -> bool:
    headers = [record.headers for record in records]
    return any(headers) and any(has_envelope(some) for some in headers if some)


def _join(values: list[bytes], max_bytes: int) -> bytes | None:
    """The values as lines, if a decoder of lines is sure to find each of them by itself.

    That is so if every line break is one of ours and stands between `}` and `{`: JSON has no
    raw line break inside a text, and no `}` before a `{` inside an object or array, so each
    break lies between two documents. Then there are at least as many documents as values, and
    if just as many, each value is one.
    """
    joined = b"\n".join(values)
    breaks = len(values) - 1
    if (
        joined.count(b"\n") != breaks
        or joined.count(b"}\n{") != breaks
        or joined[:1] != b"{"
        or joined[-1:] != b"}"
        or MARK in joined
    ):
        return None
    longest = max(map(len, values))
    if longest > max_bytes:
        return None
    if longest >= DEEP_BYTES and any(map(is_too_deep, values)):
        return None
    if not joined.isascii():
        try:
            joined.decode()
        except UnicodeDecodeError:
            return None
    return joined


def _settle_all(events: list[Event], latest_ms: int) -> None:
    """As `_settle` for each, with the usual cases in line: a call an event would be felt here."""
    for event in events:
        raw: object = event.time
        if type(raw) is str and len(raw) <= RFC3339_LENGTH:
            try:
                event.time = when = second_ms(raw[:19]) + rest_ms(raw[19:])
            except ValueError as error:
                raise EventError(Reason.BAD_TIME, str(error)) from error
            if not EARLIEST_MS <= when <= latest_ms:
                _check(when, latest_ms, raw)
        elif type(raw) is not int or not EARLIEST_MS <= raw <= latest_ms:
            _settle(event, latest_ms)


def _settle(event: Event, latest_ms: int) -> None:
    """Make the event's times epoch milliseconds, in place; EventError if there is no usable one."""
    raw: object = event.time
    if raw is None:
        raise EventError(Reason.MISSING_FIELD, "the event has no `time`")
    event.time = _time(raw, "time")
    _check(event.time, latest_ms, raw)
    if isinstance(event, ChangeEvent) and event.ends_at is not None:
        event.ends_at = _time(event.ends_at, "ends_at")


def _check(when: int, latest_ms: int, raw: object) -> None:
    if when < EARLIEST_MS:
        raise EventError(
            Reason.IMPLAUSIBLE_TIME,
            f"`time` {raw!r} is before the year 2000; numbers are epoch milliseconds: "
            "is this one in seconds?",
        )
    if when > latest_ms:
        hint = "; is it in micro- or nanoseconds?" if when > _PROBABLY_MICROSECONDS else ""
        raise EventError(
            Reason.FUTURE_TIME,
            f"`time` {raw!r} is {when - latest_ms} ms later than `max_future_ms` allows{hint}",
        )


def _time(raw: object, field: str) -> int:
    try:
        return time_ms(raw)
    except ValueError as error:
        raise EventError(Reason.BAD_TIME, f"`{field}`: {error}") from error
