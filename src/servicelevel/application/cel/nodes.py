"""The tree of an expression: each node has its line and column, from 1."""

from dataclasses import dataclass
from typing import TypeAlias

At: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Literal:
    """`type` is int, uint, double, string, bool or null."""

    at: At
    type: str
    value: int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    at: At
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.name`."""

    at: At
    operand: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[index]`."""

    at: At
    operand: "Node"
    index: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """`name(…)`, or `target.name(…)`."""

    at: At
    name: str
    target: "Node | None"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    at: At
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`op` is `!` or `-`."""

    at: At
    op: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, `in`, or arithmetic."""

    at: At
    op: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    """`op` is `&&` or `||` over two or more parts."""

    at: At
    op: str
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    at: At
    condition: "Node"
    then: "Node"
    otherwise: "Node"


Node: TypeAlias = Literal | Name | Select | Index | Call | ListOf | Unary | Binary | Logic | Choice
