"""Paths into records: JMESPath, with two functions of our own."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions, signature

NOTHING = (None, "", "-")
"""A log's ways of saying «no value»."""


Reader = Callable[[Any], Any]


def compile_path(path: str) -> Reader:
    """What reads the path from a decoded JSON document; ValueError if it is no path.

    To be read, a path may raise ValueError, TypeError or JMESPathError.
    """
    try:
        expression = jmespath.compile(path)
    except JMESPathError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path!r} is no JMESPath expression: {reason}") from error
    if unknown := sorted(set(_functions(expression.parsed)) - set(_OURS.FUNCTION_TABLE)):
        raise ValueError(f"{path!r}: there is no function {', '.join(unknown)}")
    return _closure(expression.parsed) or (lambda document: expression.search(document, _OPTIONS))


def roots(path: str) -> frozenset[str] | None:
    """The names that a path looks up in the document itself; None: not known, perhaps all."""
    return _roots(jmespath.compile(path).parsed)


def _roots(node: Mapping[str, Any]) -> frozenset[str] | None:
    match node["type"]:
        case "field":
            return frozenset([node["value"]])
        case "literal":
            return frozenset()
        case "subexpression" | "index_expression":
            return _roots(node["children"][0])
        case "or_expression" | "function_expression":
            found = [_roots(child) for child in node["children"]]
            known = [each for each in found if each is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
        case _:
            return None


def number(raw: Any) -> Decimal:
    """A JSON number, or one that is written as a text; exact: by the shortest text of a float."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise ValueError(f"{raw!r} is no number")
    try:
        found = Decimal(str(raw))
    except InvalidOperation as error:
        raise ValueError(f"{raw!r} is no number") from error
    if not found.is_finite() or abs(found.adjusted()) > 30:
        raise ValueError(f"{raw!r} is no number of a sensible size")
    return found


def whole_number(raw: Any) -> int:
    """As `number`, if it has no fraction."""
    found = number(raw)
    if found != int(found):
        raise ValueError(f"{raw!r} is no whole number")
    return int(found)


class _Functions(Functions):  # JMESPath finds them by their names
    @signature({"types": ["array", "null"]}, {"types": ["string"]})
    def _func_attribute(self, attributes: list[Any] | None, key: str) -> Any:
        """The value in a list of OTLP attributes; null if it is not there, or no scalar.

        https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: 64-bit integers are
        texts.
        """
        return _attribute(attributes, key)

    @signature({"types": []}, {"types": []})
    def _func_minus(self, a: Any, b: Any) -> int | float | None:
        """`a - b`, of numbers or texts that are numbers; null if one of them is nothing."""
        if a in NOTHING or b in NOTHING:
            return None
        difference = number(a) - number(b)
        whole = int(difference)
        return whole if whole == difference else float(difference)


_OURS = _Functions()
_OPTIONS = jmespath.Options(custom_functions=_OURS)


_LONG = 32
"""A list of more attributes is looked through once, not for each of the events that share it."""
_KEPT = 4
"""So many long lists are remembered: an event's own, and those around it."""


class _Indexes:
    """The values of long lists of attributes by their keys; a list is told by its identity."""

    def __init__(self) -> None:
        self._kept: list[tuple[list[Any], dict[Any, Any]]] = []  # the last one asked for comes last

    def of(self, attributes: list[Any]) -> dict[Any, Any]:
        """The first value of each key."""
        for i, (known, found) in enumerate(self._kept):
            if known is attributes:
                self._kept.append(self._kept.pop(i))
                return found
        index = {
            pair["key"]: pair.get("value")
            for pair in reversed(attributes)
            if isinstance(pair, dict) and isinstance(pair.get("key"), str)
        }
        self._kept = [*self._kept[1 - _KEPT :], (attributes, index)]
        return index


_INDEXES = _Indexes()


def _attribute(attributes: list[Any] | None, key: str) -> Any:
    if attributes is not None and len(attributes) > _LONG:
        return _scalar(_INDEXES.of(attributes).get(key))
    for pair in attributes or ():
        if isinstance(pair, dict) and pair.get("key") == key:
            return _scalar(pair.get("value"))
    return None


def _scalar(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return None
    if (integer := value.get("intValue")) is not None:
        return whole_number(integer)
    for name in ("stringValue", "boolValue", "doubleValue"):
        if (found := value.get(name)) is not None:
            return found
    return None


def _functions(node: Mapping[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        yield from _functions(child)


def _closure(node: Mapping[str, Any]) -> Reader | None:
    """What JMESPath's interpreter does for the commonest nodes, five times faster; None for others.

    Names, dots, `||`, literals and functions: https://jmespath.org/specification.html.
    """
    inner = [_closure(child) for child in node["children"]]
    parts = [part for part in inner if part is not None]
    if len(parts) < len(inner):
        return None
    match node["type"]:
        case "field":
            return _field(node["value"])
        case "literal":
            literal = node["value"]
            return lambda _: literal
        case "subexpression":
            return _chain(parts)
        case "or_expression":
            left, right = parts
            return lambda value: found if _is_true(found := left(value)) else right(value)
        case "function_expression":
            name = node["value"]
            if name == "attribute" and len(parts) == 2:
                return _quick_attribute(*parts)
            return lambda value: _OURS.call_function(name, [part(value) for part in parts])
        case _:
            return None


def _quick_attribute(attributes: Reader, key: Reader) -> Reader:
    """Without JMESPath's look at the types of arguments, which costs more than all else."""

    def read(value: Any) -> Any:
        found, name = attributes(value), key(value)
        if (found is None or type(found) is list) and type(name) is str:
            return _attribute(found, name)
        return _OURS.call_function("attribute", [found, name])  # which says what is wrong

    return read


def _field(name: str) -> Reader:
    return lambda value: value.get(name) if isinstance(value, dict) else None


def _chain(parts: list[Reader]) -> Reader:
    def read(value: Any) -> Any:
        for part in parts:
            value = part(value)
        return value

    return read


def _is_true(value: Any) -> bool:
    """By JMESPath's rule: a zero is true."""
    return value is not None and value is not False and value not in ("", [], {})
