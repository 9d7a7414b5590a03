"""Columns of values such that events with equal rows are told apart by no predicate.

A column holds a field's value, or only as much of it as the predicates of a plan can see: the
number of cuts at or below a number, which of some texts it is, whether it is there at all.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias

from servicelevel.application.cel import ATTRIBUTES, FIELD_TYPES, Predicate, Threshold
from servicelevel.domain.model import EventKind
from servicelevel.schemas.events import Event

Signature: TypeAlias = tuple[Hashable, ...]
Column: TypeAlias = Callable[[Sequence[Event]], Iterable[Hashable]]

_ABSENT = object()


def columns(
    kind: EventKind, predicates: Sequence[Predicate], raw_fields: Iterable[str]
) -> list[Column]:
    """The columns that all these predicates together read, and the raw fields asked for.

    An attribute is `attributes.NAME`, anything else a field of the event kind.
    """
    types = FIELD_TYPES[kind]
    raw = {field for each in predicates for field in each.fields} | set(raw_fields)
    thresholds: dict[str, set[Threshold]] = {}
    choices: dict[str, set[str]] = {}
    for predicate in predicates:
        for field, cuts in predicate.thresholds.items():
            thresholds.setdefault(field, set()).update(cuts)
        for field, texts in predicate.choices.items():
            choices.setdefault(field, set()).update(texts)
    found = [_raw_column(field, types) for field in sorted(raw)]
    found += [_bucket_column(f, thresholds[f], types) for f in sorted(thresholds) if f not in raw]
    found += [_choice_column(f, choices[f]) for f in sorted(choices) if f not in raw]
    return found


def signatures(found: Sequence[Column], events: Sequence[Event]) -> list[Signature]:
    """One row an event."""
    if not found:
        return [()] * len(events)
    return list(zip(*(column(events) for column in found), strict=True))


def _raw_column(field: str, types: dict[str, str]) -> Column:
    if field.startswith(f"{ATTRIBUTES}."):
        return _attribute_column(field.removeprefix(f"{ATTRIBUTES}."))
    get = attrgetter(field)
    if types[field] == "double":  # 0.0 and -0.0 are equal, but not in a division
        return lambda events: map(repr, map(get, events))
    return lambda events: map(get, events)


def _attribute_column(name: str) -> Column:
    def value(event: Event) -> Hashable:
        attributes = event.attributes
        found: Any = _ABSENT if attributes is None else attributes.get(name, _ABSENT)
        # 1, 1.0 and true are equal in Python, and not in CEL
        return found if type(found) is str else (repr(found),)

    return lambda events: [value(event) for event in events]


def _bucket_column(field: str, thresholds: set[Threshold], types: dict[str, str]) -> Column:
    get = attrgetter(field)
    if not thresholds:
        return lambda events: [get(event) is None for event in events]
    cut = _int_cut if types[field] == "int" else _double_cut
    bucket = partial(bisect_right, sorted({cut(threshold) for threshold in thresholds}))

    def column(events: Sequence[Event]) -> Iterable[Hashable]:
        values = list(map(get, events))
        try:
            return list(map(bucket, values))
        except TypeError:  # absent in some
            return [None if value is None else bucket(value) for value in values]

    return column


def _choice_column(field: str, texts: set[str]) -> Column:
    get = attrgetter(field)
    which: dict[str | None, int] = {text: n for n, text in enumerate(sorted(texts))}
    which[None] = -1
    return lambda events: map(which.get, map(get, events))


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
