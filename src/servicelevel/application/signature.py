"""Columns of values such that events with equal rows are told apart by no predicate.

A column holds a field's value, or only as much of it as the predicates of a plan can see: the
number of cuts at or below a number, which of some texts it is, whether it is there at all.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from servicelevel.application.cel import ATTRIBUTES, FIELD_TYPES, Predicate, Threshold
from servicelevel.domain.model import EventKind
from servicelevel.schemas.events import Event

Signature: TypeAlias = tuple[Hashable, ...]
Column: TypeAlias = Callable[[Sequence[Event]], Iterable[Hashable]]

_ABSENT = object()
_VALUES: dict[str, Callable[[Sequence[Event]], list[Any]]] = {
    # A field that is named in the program is read in half the time of one that is not.
    "service": lambda events: [event.service for event in events],
    "operation": lambda events: [event.operation for event in events],
    "status_code": lambda events: [event.status_code for event in events],
    "duration_ms": lambda events: [event.duration_ms for event in events],
}


class Sight(NamedTuple):
    """All that some predicates together can see; an attribute is `attributes.NAME`."""

    raw: frozenset[str]
    thresholds: Mapping[str, frozenset[Threshold]]
    choices: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, predicates: Iterable[Predicate], raw_fields: Iterable[str] = ()) -> "Sight":
        """What these predicates read, and the fields whose values are asked for."""
        raw = set(raw_fields)
        thresholds: dict[str, frozenset[Threshold]] = {}
        choices: dict[str, frozenset[str]] = {}
        for predicate in predicates:
            raw |= predicate.fields
            for field, cuts in predicate.thresholds.items():
                thresholds[field] = thresholds.get(field, frozenset()).union(cuts)
            for field, texts in predicate.choices.items():
                choices[field] = choices.get(field, frozenset()) | texts
        return cls(
            frozenset(raw),
            {field: cuts for field, cuts in thresholds.items() if field not in raw},
            {field: texts for field, texts in choices.items() if field not in raw},
        )

    @property
    def looks(self) -> int:
        """How many rows there can be for each row of the raw fields."""
        ways = [len(found) + 2 for found in (*self.thresholds.values(), *self.choices.values())]
        return math.prod(ways)


def columns(kind: EventKind, sight: Sight) -> list[Column]:
    """The columns that show this much of events of a kind."""
    types = FIELD_TYPES[kind]
    found = [_raw_column(field, types) for field in sorted(sight.raw)]
    found += [_bucket_column(f, cuts, types) for f, cuts in sorted(sight.thresholds.items())]
    found += [_choice_column(f, texts) for f, texts in sorted(sight.choices.items())]
    return found


def signatures(found: Sequence[Column], events: Sequence[Event]) -> Iterable[Signature]:
    """One row an event. `zip` makes the next one out of the last, if that was not kept."""
    if not found:
        return repeat((), len(events))
    return zip(*(column(events) for column in found), strict=True)


def _raw_column(field: str, types: dict[str, str]) -> Column:
    if field.startswith(f"{ATTRIBUTES}."):
        return _attribute_column(field.removeprefix(f"{ATTRIBUTES}."))
    values = _values(field)
    if types[field] == "double":  # 0.0 and -0.0 are equal, but not in a division
        return lambda events: map(repr, values(events))
    return values


def _values(field: str) -> Callable[[Sequence[Event]], list[Any]]:
    get = attrgetter(field)
    return _VALUES.get(field) or (lambda events: list(map(get, events)))


def _attribute_column(name: str) -> Column:
    def value(event: Event) -> Hashable:
        attributes = event.attributes
        found: Any = _ABSENT if attributes is None else attributes.get(name, _ABSENT)
        # 1, 1.0 and true are equal in Python, and not in CEL
        return found if type(found) is str else (repr(found),)

    return lambda events: [value(event) for event in events]


def _bucket_column(field: str, thresholds: frozenset[Threshold], types: dict[str, str]) -> Column:
    read = _values(field)
    if not thresholds:
        return lambda events: [value is None for value in read(events)]
    cut = _int_cut if types[field] == "int" else _double_cut
    cuts = sorted({cut(threshold) for threshold in thresholds})
    if field == "status_code":  # of which there are few
        known = _Known(partial(bisect_right, cuts))
        return lambda events: map(known.__getitem__, read(events))

    def column(events: Sequence[Event]) -> Iterable[Hashable]:
        values = read(events)
        try:
            return [bisect_right(cuts, value) for value in values]
        except TypeError:  # absent in some
            return [None if value is None else bisect_right(cuts, value) for value in values]

    return column


def _choice_column(field: str, texts: frozenset[str]) -> Column:
    values = _values(field)
    which: dict[str | None, int] = {text: n for n, text in enumerate(sorted(texts))}
    which[None] = -1
    return lambda events: map(which.get, values(events))


class _Known(dict[int | None, int | None]):
    """Buckets of values that were seen: finding one again is faster than finding it."""

    _MOST = 1_000

    def __init__(self, bucket: Callable[[int], int]) -> None:
        super().__init__({None: None})
        self._bucket = bucket

    def __missing__(self, value: int) -> int:
        found = self._bucket(value)
        if len(self) < self._MOST:
            self[value] = found
        return found


def _int_cut(threshold: Threshold) -> float:
    """The lowest int beyond the threshold, so that one bisection tells on which side one is."""
    if threshold.closed:
        return math.ceil(threshold.value)
    return math.floor(threshold.value) + 1


def _double_cut(threshold: Threshold) -> float:
    """The lowest double beyond the threshold."""
    nearest = float(threshold.value)
    if nearest > threshold.value or (threshold.closed and nearest == threshold.value):
        return nearest
    return math.nextafter(nearest, math.inf)
