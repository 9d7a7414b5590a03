"""Applies a source mapping: a JSON document of any shape becomes one of our events."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import floor
from typing import Any, NoReturn

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from servicelevel.application.event_time import datetime_ms, rfc3339_ms, time_ms
from servicelevel.application.refusal import Reason
from servicelevel.errors import EventError
from servicelevel.schemas.events import EVENT_TYPES, Event
from servicelevel.schemas.mapping import SLOT, TIME_FIELDS, FieldMapping, MappingSpec

Document = Mapping[str, Any]
Reader = Callable[[Document], Any]
Converter = Callable[[Any], Any]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NOTHING = (None, "", "-")  # a log's ways of saying «no value»
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
        self._type = EVENT_TYPES[spec.event]
        self._fields = [
            (name, _reader(mapped), _converter(name, mapped))
            for name, mapped in spec.fields.items()
        ]
        self._attributes = [(name, _reader(mapped)) for name, mapped in spec.attributes.items()]

    def event(self, document: object) -> Event:
        """The event that a decoded JSON document describes; EventError if it describes none."""
        if not isinstance(document, dict):
            raise EventError(Reason.NOT_AN_OBJECT, "the source mapping needs a JSON object")
        fields: dict[str, Any] = {}
        for name, read, convert in self._fields:
            try:
                if (raw := read(document)) not in _NOTHING:
                    fields[name] = convert(raw)
            except (ValueError, TypeError, ArithmeticError, JMESPathError) as error:
                _refuse(name, error)
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
            except (ValueError, TypeError, JMESPathError) as error:
                _refuse(f"attributes.{name}", error)
            if value not in _NOTHING:
                found[name] = value
        return found


def _refuse(name: str, error: Exception) -> NoReturn:
    raise EventError(Reason.MAPPING, f"{name}: {error}") from error


def _reader(mapped: FieldMapping) -> Reader:
    if mapped.value is not None:
        constant = mapped.value
        return lambda _: constant
    read = _path(mapped.path) if mapped.path is not None else _template(mapped.template or "")
    if (default := mapped.default) is None:
        return read

    def with_default(document: Document) -> Any:
        found = read(document)
        return default if found in _NOTHING else found

    return with_default


def _path(path: str) -> Reader:
    if _NAME.fullmatch(path):  # most are a name alone, for which JMESPath costs twenty times more
        return lambda document: document.get(path)
    expression = jmespath.compile(path)
    return lambda document: expression.search(document)


def _template(template: str) -> Reader:
    parts = SLOT.split(template)  # text, path, text, path, …, text
    texts, readers = parts[::2], [_path(path) for path in parts[1::2]]

    def fill(document: Document) -> str | None:
        filled = texts[0]
        for read, text in zip(readers, texts[1:], strict=True):
            value = read(document)
            if value in _NOTHING:
                return None
            filled += _text(value) + text
        return filled

    return fill


def _converter(name: str, mapped: FieldMapping) -> Converter:
    if name in TIME_FIELDS:
        return _time(mapped.format)
    if name == "duration_ms":
        factor = _MS_PER_UNIT[mapped.unit or "ms"]
        return lambda raw: float(_number(raw) * factor)
    if name == "status_code":
        return _whole
    return _text


def _time(format_: str | None) -> Converter:
    match format_:
        case None:
            return time_ms
        case "rfc3339":
            return lambda raw: rfc3339_ms(_text(raw))
        case "epoch_s" | "epoch_ms" | "epoch_us" | "epoch_ns":
            factor = _MS_PER_UNIT[format_.removeprefix("epoch_")]
            return lambda raw: floor(_number(raw) * factor)
        case _:
            # Without `%z` it is UTC: `datetime_ms` says so.
            return lambda raw: datetime_ms(datetime.strptime(_text(raw), format_))  # noqa: DTZ007


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError(f"{raw!r} is no text")


def _number(raw: Any) -> Decimal:
    """Exact, as written: by the shortest text that reads as the same float."""
    try:
        number = Decimal(_text(raw))
    except InvalidOperation as error:
        raise ValueError(f"{raw!r} is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ValueError(f"{raw!r} is no number of a sensible size")
    return number


def _whole(raw: Any) -> int:
    number = _number(raw)
    if number != int(number):
        raise ValueError(f"{raw!r} is no whole number")
    return int(number)
