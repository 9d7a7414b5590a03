"""Compiled nodes, and the rules of types that hold before any event is seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from servicelevel.application.cel import nodes
from servicelevel.application.cel.reads import Operand
from servicelevel.application.cel.values import UndecidableError, Value
from servicelevel.errors import CelError
from servicelevel.schemas.events import Event

Run: TypeAlias = Callable[[Event], Value]

_NUMBERS = {"int", "uint", "double"}


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled node: `type` is a CEL type, or `dyn` where only the data knows.

    `field` names what is read where the node is nothing but a field; `constant` holds where the
    value is the same for every event.
    """

    type: str
    run: Run
    field: str | None = None
    constant: bool = False
    value: Value = None

    @property
    def operand(self) -> Operand:
        """What `Reads` must know of it."""
        return Operand(self.field, self.constant, self.value)


def constant(kind: str, value: Value) -> Code:
    return Code(kind, lambda _: value, constant=True, value=value)


_NO_EVENT = Event(service="-", time=0)


def folded(kind: str, run: Run, *operands: Code) -> Code:
    """Computed now if nothing of the event is read; an error is left to be one for each event."""
    if all(operand.constant for operand in operands):
        try:
            return constant(kind, run(_NO_EVENT))
        except UndecidableError:
            pass
    return Code(kind, run)


def check_comparable(node: nodes.Binary, left: Code, right: Code) -> None:
    kinds = {left.type, right.type}
    if "dyn" in kinds:
        return
    if "null" in kinds:
        if node.op in ("==", "!=", "in") and kinds == {"null"}:
            return
        raise refused(node, "a field is absent rather than null; write `has(…)` or `!has(…)`")
    if len(kinds) > 1 and not kinds <= _NUMBERS:
        raise refused(
            node,
            f"`{node.op}` compares {left.type} with {right.type}, which is never decided; "
            f"write a value of type {left.type} on the right",
        )


def arithmetic_type(node: nodes.Binary, left: str, right: str) -> str:
    allowed = {"+": _NUMBERS | {"string"}, "%": {"int", "uint"}}.get(node.op, _NUMBERS)
    kinds = {left, right} - {"dyn"}
    if kinds - allowed or len(kinds) > 1 or (kinds == {"uint"} and left != right):
        hint = "write both as int (1) or both as double (1.0)"
        raise refused(node, f"`{node.op}` does not take {left} and {right}; {hint}")
    return kinds.pop() if kinds else "dyn"


def refused(node: nodes.Node, problem: str) -> CelError:
    return CelError(problem, line=node.at[0], column=node.at[1])
