"""Applies a source mapping: a JSON document of any shape becomes one of our events, or many."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from math import floor
from typing import Any

import msgspec

from servicelevel.application.event_time import datetime_ms, rfc3339_ms, time_ms
from servicelevel.application.refusal import Reason
from servicelevel.application.remembering import UNREADABLE, Document, Reader, remembering
from servicelevel.application.unroll import Element, Place, unrolled
from servicelevel.errors import EventError
from servicelevel.schemas.events import EVENT_TYPES, Event
from servicelevel.schemas.mapping import (
    RECORD,
    SLOT,
    TIME_FIELDS,
    FieldMapping,
    MappingSpec,
    Selection,
)
from servicelevel.schemas.paths import NOTHING, compile_path, number, whole_number

Converter = Callable[[Any], Any]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_MS_PER_UNIT = {
    "s": Decimal(1000),
    "ms": Decimal(1),
    "us": Decimal("1e-3"),
    "ns": Decimal("1e-6"),
}


class SourceMapping:
    """A source mapping, compiled once. Its events have a settled `time`, or None for it."""

    def __init__(self, spec: MappingSpec) -> None:
        self.replace_invalid_utf8 = spec.invalid_utf8 == "replace"
        self.unrolls = bool(spec.unroll)
        self._levels = tuple(spec.unroll)
        self._is_selected = _selection(spec.select)
        self._type = EVENT_TYPES[spec.event]
        around = frozenset({RECORD, *spec.unroll[:-1]}) if spec.unroll else frozenset[str]()
        self._fields: list[tuple[str, Reader]] = []
        for name, mapped in spec.fields.items():
            read = _converted(_reader(mapped), _converter(name, mapped))
            self._fields.append((name, remembering(read, mapped, around)))
        self._attributes = [
            (name, remembering(_reader(mapped), mapped, around))
            for name, mapped in spec.attributes.items()
        ]

    def elements(self, document: object) -> Iterator[Element]:
        """The parts of a decoded record that are to become events: without `unroll`, itself.

        What is not selected is passed over; what has an `error` cannot become one. EventError
        where the whole record cannot.
        """
        if not isinstance(document, dict):
            raise EventError(Reason.NOT_AN_OBJECT, "the source mapping needs a JSON object")
        found = unrolled(document, self._levels) if self._levels else (Element((), document),)
        for element in found:
            try:
                if element.error is not None or self._is_selected(element.document):
                    yield element
            except UNREADABLE as error:
                yield element._replace(error=_refusal("select", error))

    def located(self, error: EventError, place: Place) -> EventError:
        """The error, with the place in the record that it is about."""
        if not place:
            return error
        where = ".".join(f"{level}[{i}]" for level, i in zip(self._levels, place, strict=False))
        return EventError(error.reason, f"{where}: {error.detail}")

    def event(self, document: Document) -> Event:
        """The event that a JSON object describes; EventError if it describes none."""
        fields: dict[str, Any] = {}
        for name, read in self._fields:
            try:
                if (value := read(document)) is not None:
                    fields[name] = value
            except UNREADABLE as error:
                raise _refusal(name, error) from error
        if self._attributes:
            fields["attributes"] = self._scalars(document)
        try:
            return msgspec.convert(fields, self._type)
        except msgspec.ValidationError as error:
            raise EventError(Reason.MAPPING, f"after mapping: {error}") from error

    def _scalars(self, document: Document) -> dict[str, Any]:
        found = {}
        for name, read in self._attributes:
            try:
                value = read(document)
            except UNREADABLE as error:
                raise _refusal(f"attributes.{name}", error) from error
            if value not in NOTHING:
                found[name] = value
        return found


def _refusal(name: str, error: Exception) -> EventError:
    return EventError(Reason.MAPPING, f"{name}: {error}")


def _selection(select: Selection | None) -> Callable[[Document], bool]:
    if select is None:
        return lambda _: True
    read, values = _path(select.path), select.values
    return lambda document: read(document) in values


def _reader(mapped: FieldMapping) -> Reader:
    if mapped.value is not None:
        constant = mapped.value
        return lambda _: constant
    read = _path(mapped.path) if mapped.path is not None else _template(mapped.template or "")
    if (default := mapped.default) is None:
        return read

    def with_default(document: Document) -> Any:
        found = read(document)
        return default if found in NOTHING else found

    return with_default


def _converted(read: Reader, convert: Converter) -> Reader:
    """What is read and then converted, or None where nothing is."""

    def converted(document: Document) -> Any:
        return None if (raw := read(document)) in NOTHING else convert(raw)

    return converted


def _path(path: str) -> Reader:
    if _NAME.fullmatch(path):  # most are a name alone, for which JMESPath costs twenty times more
        return lambda document: document.get(path)
    return compile_path(path)


def _template(template: str) -> Reader:
    parts = SLOT.split(template)  # text, path, text, path, …, text
    texts, readers = parts[::2], [_path(path) for path in parts[1::2]]

    def fill(document: Document) -> str | None:
        filled = texts[0]
        for read, text in zip(readers, texts[1:], strict=True):
            value = read(document)
            if value in NOTHING:
                return None
            filled += _text(value) + text
        return filled

    return fill


def _converter(name: str, mapped: FieldMapping) -> Converter:
    if name in TIME_FIELDS:
        return _time(mapped.format)
    if name == "duration_ms":
        factor = _MS_PER_UNIT[mapped.unit or "ms"]
        return lambda raw: float(number(raw) * factor)
    if name == "status_code":
        return whole_number
    return _text


def _time(format_: str | None) -> Converter:
    match format_:
        case None:
            return time_ms
        case "rfc3339":
            return lambda raw: rfc3339_ms(_text(raw))
        case "epoch_s" | "epoch_ms" | "epoch_us" | "epoch_ns":
            factor = _MS_PER_UNIT[format_.removeprefix("epoch_")]
            return lambda raw: floor(number(raw) * factor)
        case _:
            # Without `%z` it is UTC: `datetime_ms` says so.
            return lambda raw: datetime_ms(datetime.strptime(_text(raw), format_))  # noqa: DTZ007


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError(f"{raw!r} is no text")
