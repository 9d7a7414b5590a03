"""Opens CloudEvents 1.0 envelopes, structured (all in the JSON) and binary (`ce_*` headers)."""

from base64 import b64decode
from collections.abc import Sequence
from operator import attrgetter
from typing import Annotated, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, defstruct

from servicelevel.application.refusal import Reason
from servicelevel.errors import EventError
from servicelevel.schemas.events import Event

MARK = b'"specversion"'
"""No structured envelope is without these bytes."""

_Never = Annotated[str, Meta(min_length=1, max_length=0)]
_STRUCTURED = b"application/cloudevents+json"
Headers = Sequence[tuple[str, bytes | None]]


class Letter(NamedTuple):
    """The event's own JSON, and what the envelope says where the event does not."""

    data: bytes
    id: str | None = None
    time: str | None = None


class _Envelope(Struct, gc=False):
    specversion: Raw | UnsetType = UNSET
    id: Raw | UnsetType = UNSET
    time: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    data_base64: Raw | UnsetType = UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_OPTIONAL_TEXT = msgspec.json.Decoder(str | None)
_TEXT = msgspec.json.Decoder(str)


def without_mark(event: type[Event]) -> type[Event]:
    """The same event; but to decode one from JSON with a `specversion` is a ValidationError."""
    never = ("specversion", _Never | UnsetType, UNSET)
    own = attrgetter(*event.__struct_fields__)

    def is_same(self: Event, other: object) -> bool:
        return isinstance(other, event) and own(self) == own(other)

    namespace = {"__eq__": is_same}
    return defstruct(
        event.__name__, [never], bases=(event,), namespace=namespace, gc=False, kw_only=True
    )


def has_envelope(headers: Headers) -> bool:
    """Whether a record's headers say that it is a CloudEvent, in either mode."""
    return any(name == "ce_specversion" or _is_structured(name, value) for name, value in headers)


def open_envelope(value: bytes, headers: Headers) -> Letter:
    """Take the event out of its envelope; a value without one is its own letter.

    Raises EventError where the envelope contradicts itself, msgspec.DecodeError where it is no
    JSON.
    """
    structured = any(_is_structured(name, content) for name, content in headers)
    if structured or MARK in value:
        envelope = _ENVELOPE.decode(value)
        data = _data(envelope)
        if envelope.specversion is not UNSET and data is not None:
            return Letter(data, _text("id", envelope.id), _text("time", envelope.time))
        if structured:
            raise EventError(
                Reason.ENVELOPE,
                "the content type is application/cloudevents+json, "
                "but `specversion` and `data` are not both there",
            )
    named = {name: content for name, content in headers if content is not None}
    if "ce_specversion" in named:
        return Letter(value, _header(named, "ce_id"), _header(named, "ce_time"))
    return Letter(value)


def _is_structured(name: str, value: bytes | None) -> bool:
    return (
        value is not None
        and name.lower() == "content-type"
        and value.lower().startswith(_STRUCTURED)
    )


def _data(envelope: _Envelope) -> bytes | None:
    if not isinstance(envelope.data, UnsetType):
        return bytes(envelope.data)
    if isinstance(envelope.data_base64, UnsetType):
        return None
    try:
        return b64decode(_TEXT.decode(envelope.data_base64), validate=True)
    except (ValueError, msgspec.ValidationError) as error:
        raise EventError(Reason.ENVELOPE, f"`data_base64` is no base64 text: {error}") from error


def _text(field: str, raw: Raw | UnsetType) -> str | None:
    try:
        return None if isinstance(raw, UnsetType) else _OPTIONAL_TEXT.decode(raw)
    except msgspec.ValidationError as error:
        raise EventError(Reason.ENVELOPE, f"the envelope's `{field}`: {error}") from error


def _header(named: dict[str, bytes], name: str) -> str | None:
    try:
        return named[name].decode() if name in named else None
    except UnicodeDecodeError as error:
        raise EventError(Reason.ENVELOPE, f"the header `{name}` is no UTF-8") from error
