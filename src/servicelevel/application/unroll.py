"""Takes a record apart that holds many things in lists within lists, such as OTLP's spans."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from servicelevel.application.refusal import Reason
from servicelevel.errors import EventError
from servicelevel.schemas.mapping import RECORD

Place = tuple[int, ...]
"""The index in each list, from the outside in; empty for what is a record by itself."""


class Element(NamedTuple):
    """One object of an innermost list; with an `error`, what should have been one.

    `document` is the object as paths see it, `own` as it stands in the record.
    """

    place: Place
    document: Mapping[str, Any]
    own: Mapping[str, Any] = {}
    error: EventError | None = None


def unrolled(record: Mapping[str, Any], levels: Sequence[str]) -> Iterator[Element]:
    """The objects of the innermost lists, in the record's order.

    A list that is not there is empty, as in the JSON of Protobuf; but EventError if the outermost
    is not there: the record is of another kind then.
    """
    if record.get(levels[0]) is None:
        raise EventError(Reason.MAPPING, f"the record has no `{levels[0]}` to unroll")
    yield from _walk(record, levels, (), {RECORD: record})


def _walk(
    node: Mapping[str, Any], levels: Sequence[str], place: Place, around: Mapping[str, Any]
) -> Iterator[Element]:
    level, *inner = levels[len(place) :]
    items = node.get(level)
    if items is None:
        return
    if not isinstance(items, list):
        yield _fault(place, f"`{level}` is no list")
        return
    for i, item in enumerate(items):
        here = (*place, i)
        if not isinstance(item, dict):
            yield _fault(here, "no JSON object")
        elif inner:
            yield from _walk(item, levels, here, {**around, level: item})
        else:
            yield Element(here, {**item, **around}, item)


def _fault(place: Place, detail: str) -> Element:
    return Element(place, {}, {}, EventError(Reason.MAPPING, detail))
