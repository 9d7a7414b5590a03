"""What an expression reads of an event, and how finely.

Two events that agree in all that a predicate reads get the same answer: so one answer serves
all events of a kind. A field read only against constants is coarser than its value.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from servicelevel.application.cel.values import Value
from servicelevel.domain.model import EventKind

ATTRIBUTES = "attributes"

_COMMON = {"service": "string", "time": "int", "id": "string"}
_REQUEST = {**_COMMON, "operation": "string", "status_code": "int", "duration_ms": "double"}
FIELD_TYPES: dict[EventKind, dict[str, str]] = {
    "request": _REQUEST,
    "incident": {
        **_REQUEST,
        "incident_id": "string",
        "state": "string",
        "severity": "string",
        "title": "string",
    },
    "change": {**_REQUEST, "kind": "string", "title": "string", "ends_at": "int"},
}
"""The CEL types of the fields; `attributes` is a map to `dyn`. `time` is in epoch ms."""

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NUMERIC = ("int", "double")


class Threshold(NamedTuple):
    """A place where answers may change: at `v >= value` if closed, else at `v > value`."""

    value: int | float
    closed: bool


class Operand(NamedTuple):
    """A side of a comparison: a bare field, a constant, or (neither) anything else."""

    field: str | None
    constant: bool
    value: Value


class Reads:
    """Collects, while an expression is compiled, the three ways in which it reads fields."""

    def __init__(self, event: EventKind) -> None:
        self._types = FIELD_TYPES[event]
        self._raw: set[str] = set()
        self._thresholds: defaultdict[str, set[Threshold]] = defaultdict(set)
        self._choices: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def fields(self) -> frozenset[str]:
        """Fields whose very value matters; an attribute is `attributes.NAME`."""
        return frozenset(self._raw)

    @property
    def thresholds(self) -> dict[str, tuple[Threshold, ...]]:
        """Numeric fields that are only compared with constants; empty: only presence matters."""
        return {
            field: tuple(sorted(found, key=lambda t: (t.value, not t.closed)))
            for field, found in self._thresholds.items()
            if field not in self._raw
        }

    @property
    def choices(self) -> dict[str, frozenset[str]]:
        """Text fields that are only tested for being one of these texts; empty: presence."""
        return {
            field: frozenset(found)
            for field, found in self._choices.items()
            if field not in self._raw
        }

    def raw(self, field: str) -> None:
        """The field's value matters."""
        self._raw.add(field)

    def presence(self, field: str) -> None:
        """Only whether the field is there matters."""
        if self._types[field] in _NUMERIC:
            self._thresholds[field].update(())
        else:
            self._choices[field].update(())

    def comparison(self, op: str, left: Operand, right: Operand) -> None:
        """`left op right`."""
        if left.field is None and right.field is not None:
            op, left, right = _FLIPPED[op], right, left
        if left.field is None:
            return
        if right.field is not None:
            self.raw(right.field)
        kind = self._types.get(left.field)
        value = right.value
        if not right.constant:
            self.raw(left.field)
        elif kind in _NUMERIC and isinstance(value, int | float) and math.isfinite(value):
            self._thresholds[left.field].update(_cuts(op, value))
        elif kind == "string" and isinstance(value, str) and op in ("==", "!="):
            self._choices[left.field].add(value)
        else:
            self.raw(left.field)

    def membership(self, item: Operand, among: Iterable[Operand]) -> None:
        """`item in [among…]`."""
        found = list(among)
        if item.field is not None and not found:
            self.raw(item.field)  # an absent field is an error even against nothing
        for each in found:
            self.comparison("==", item, each)


def _cuts(op: str, value: int | float) -> Iterable[Threshold]:
    if op in ("<", ">=", "==", "!="):
        yield Threshold(value, closed=True)
    if op in ("<=", ">", "==", "!="):
        yield Threshold(value, closed=False)
