"""Decodes events of one kind: many records in one call, or each on its own.

Many in one call is much faster, and must come to the same: `together` gives up wherever it
might not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import msgspec

from servicelevel.application.envelope import MARK, Letter, has_envelope, open_envelope
from servicelevel.application.fetched import Fetched
from servicelevel.application.lines import Lines, block_of, values_of
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.ports import RawRecord
from servicelevel.application.refusal import any_is_too_deep, refusal, refuse_value
from servicelevel.application.settle import settle, settle_all
from servicelevel.application.unroll import Place
from servicelevel.domain.model import EventKind
from servicelevel.errors import EventError
from servicelevel.schemas.events import EVENT_TYPES, STRICT_EVENT_TYPES, Event

_ANY = msgspec.json.Decoder()
_DECODERS: Mapping[EventKind, msgspec.json.Decoder[Event]] = {
    kind: msgspec.json.Decoder(type_) for kind, type_ in EVENT_TYPES.items()
}

_STRICT: Mapping[EventKind, msgspec.json.Decoder[Event]] = {
    kind: msgspec.json.Decoder(type_) for kind, type_ in STRICT_EVENT_TYPES.items()
}


class Decoded(NamedTuple):
    """An event, the JSON that it was read from, and where in its record that is."""

    event: Event
    value: bytes
    place: Place


class EventDecoder:
    """Decodes events of one kind; `latest_ms` is the last time that is not in the future."""

    def __init__(
        self, kind: EventKind, latest_ms: int, max_bytes: int, mapping: SourceMapping | None
    ) -> None:
        self._kind = kind
        self._decoder = _DECODERS[kind]
        self._strict = _STRICT[kind]
        self._latest_ms = latest_ms
        self._max_bytes = max_bytes
        self._mapping = mapping

    def together(self, records: Sequence[RawRecord]) -> list[Event] | None:
        """All events of a slice, or None if each record needs a look of its own."""
        if self._mapping is not None or _any_envelope(records):
            return None
        values = values_of(records)
        if values is None:
            return None
        block = block_of(records, values)
        try:
            if not block.isascii():
                block.decode()
            if len(block) > self._max_bytes and max(map(len, values)) > self._max_bytes:
                return None
            events = self._decoded(values, block)
            if events is not None:
                settle_all(events, self._kind, self._latest_ms)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError):
            return None
        return events

    def _decoded(self, values: list[bytes], block: bytes) -> list[Event] | None:
        # One by one is as fast as all as lines, since the lines need no proof to be such.
        try:
            # With no other fields than ours none is an envelope, and none is deep.
            return list(map(self._strict.decode, values))
        except msgspec.ValidationError:
            # Sought in the block: it holds no white space, as what is between the values.
            if MARK in block or any_is_too_deep(values, block):
                return None
            return list(map(self._decoder.decode, values))

    def each(self, record: RawRecord) -> Iterator[Decoded]:
        """The events of one record: one, unless a mapping unrolls or selects.

        EventError, after all that can be read, if anything cannot.
        """
        value = refuse_value(record.value, self._max_bytes)
        decoder = self._decoder if self._mapping is None else _ANY
        try:
            letter = open_envelope(self._as_utf8(value), record.headers)
            document = decoder.decode(self._as_utf8(letter.data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError) as error:
            raise refusal(value, error) from error
        if self._mapping is not None:
            yield from self._mapped(self._mapping, document, letter, value)
        else:
            yield Decoded(self._settled(cast("Event", document), letter), value, ())

    def _mapped(
        self, mapping: SourceMapping, document: object, letter: Letter, value: bytes
    ) -> Iterator[Decoded]:
        if mapping.unrolls:
            letter = letter._replace(id=None)  # it would be the id of several events
        first_error: EventError | None = None
        for place, seen, own, fault in mapping.elements(document):
            try:
                if fault is not None:
                    raise fault
                event = self._settled(mapping.event(seen), letter)
            except EventError as error:
                first_error = first_error or mapping.located(error, place)
            else:
                part = msgspec.json.encode(own) if mapping.unrolls else value
                yield Decoded(event, part, place)
        if first_error is not None:
            raise first_error

    def _settled(self, event: Event, letter: Letter) -> Event:
        """With what the envelope says where the event does not, and its `time` in epoch ms."""
        if event.id is None:
            event.id = letter.id
        if event.time is None:
            event.time = cast("int", letter.time)  # settled in a moment
        settle(event, self._latest_ms)
        return event

    def _as_utf8(self, value: bytes) -> bytes:
        """Fields we do not read must be UTF-8, too: RFC 8259 knows no other JSON."""
        if value.isascii():
            return value
        if self._mapping is not None and self._mapping.replace_invalid_utf8:
            return value.decode(errors="replace").encode()
        value.decode()
        return value


def _any_envelope(records: Sequence[RawRecord]) -> bool:
    if isinstance(records, Lines) or (isinstance(records, Fetched) and not records.has_headers):
        return False
    headers = [record.headers for record in records]
    return any(headers) and any(has_envelope(some) for some in headers if some)
