"""The group of an event: the values of an indicator's `groupBy`, as one text."""

from collections.abc import Callable
from math import inf, nan
from operator import attrgetter
from zlib import crc32

from servicelevel.application.cel import ATTRIBUTES, FIELD_TYPES
from servicelevel.domain.model import EventKind
from servicelevel.schemas.events import Event

MAX_VALUE_CHARACTERS = 256
_ESCAPES = str.maketrans({"%": "%25", ",": "%2C", "=": "%3D"})


def group_field(name: str, kind: EventKind) -> str:
    """The field a `groupBy` name means: a field of the event, else an attribute."""
    if name in FIELD_TYPES[kind] or name.startswith(f"{ATTRIBUTES}."):
        return name
    return f"{ATTRIBUTES}.{name}"


def group_reader(names: tuple[str, ...], kind: EventKind) -> Callable[[Event], str]:
    """Reads "name=value,…" in the order of the names; an absent value is empty.

    `%`, `,` and `=` within names and values are percent-escaped.
    """
    readers = [(name.translate(_ESCAPES), _reader(group_field(name, kind))) for name in names]

    def group(event: Event) -> str:
        return ",".join(f"{label}={read(event).translate(_ESCAPES)}" for label, read in readers)

    return group


def value_text(value: object) -> str:
    """A field's value as text, at most 256 characters: longer ones end in a checksum."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            text = str(value)
    if len(text) <= MAX_VALUE_CHARACTERS:
        return text
    checksum = f"~{crc32(text.encode(errors='surrogatepass')):08x}"
    return text[: MAX_VALUE_CHARACTERS - len(checksum)] + checksum


def number_reader(name: str, kind: EventKind) -> Callable[[Event], float]:
    """Reads a numeric field; what is absent or no number is NaN, and beyond a double infinite."""
    field = group_field(name, kind)
    if not field.startswith(f"{ATTRIBUTES}."):
        get = attrgetter(field)
        return lambda event: _number(get(event))
    attribute = field.removeprefix(f"{ATTRIBUTES}.")
    return lambda event: _number((event.attributes or {}).get(attribute))


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # JSON's integers have no end
            return inf if value > 0 else -inf
    return nan


def _reader(field: str) -> Callable[[Event], str]:
    if not field.startswith(f"{ATTRIBUTES}."):
        get = attrgetter(field)
        return lambda event: value_text(get(event))
    name = field.removeprefix(f"{ATTRIBUTES}.")
    return lambda event: value_text((event.attributes or {}).get(name))
