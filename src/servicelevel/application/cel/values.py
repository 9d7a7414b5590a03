"""What CEL's operators do with values: strict about types, int64 arithmetic, errors for the rest.

A value is a Python str, int, float, bool or None (CEL's null). A uint is an int too: only
literals are unsigned, so the compiler knows where one is.
"""

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | None
Operation: TypeAlias = Callable[[Value, Value], Value]

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_UINT_MAX = 2**64 - 1
_KINDS: dict[type, str] = {str: "string", int: "number", float: "number", bool: "bool"}


class UndecidableError(Exception):
    """An error in CEL's sense: it never leaves a predicate, which answers None instead."""


def equal(a: Value, b: Value) -> bool:
    """`==`: numbers across their types, null with anything, else the same type only."""
    if a is None or b is None:
        return a is b
    if _KINDS.get(type(a)) != _KINDS.get(type(b)):
        raise UndecidableError
    return a == b


def unequal(a: Value, b: Value) -> bool:
    """`!=`."""
    return not equal(a, b)


def _ordered(compare: Callable[[object, object], bool]) -> Operation:
    def run(a: Value, b: Value) -> Value:
        if a is None or b is None or _KINDS.get(type(a)) != _KINDS.get(type(b)):
            raise UndecidableError
        return compare(a, b)

    return run


def contained(item: Value, among: list[Value]) -> bool:
    """`in`: as a chain of `==` joined with `||`."""
    failed = False
    for each in among:
        try:
            if equal(item, each):
                return True
        except UndecidableError:
            failed = True
    if failed:
        raise UndecidableError
    return False


def _arithmetic(
    on_ints: Callable[[int, int], int],
    on_doubles: Callable[[float, float], float] | None,
    on_strings: Callable[[str, str], str] | None = None,
) -> Operation:
    def run(a: Value, b: Value) -> Value:
        if type(a) is int and type(b) is int:
            result = on_ints(a, b)
            if not _INT_MIN <= result <= _INT_MAX:
                raise UndecidableError
            return result
        if on_doubles is not None and type(a) is float and type(b) is float:
            return on_doubles(a, b)
        if on_strings is not None and type(a) is str and type(b) is str:
            return on_strings(a, b)
        raise UndecidableError

    return run


def _divide(a: int, b: int) -> int:
    """Towards zero, as CEL has it."""
    if b == 0:
        raise UndecidableError
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _remainder(a: int, b: int) -> int:
    return a - b * _divide(a, b)


def _divide_doubles(a: float, b: float) -> float:
    """IEEE 754: division by zero is infinite, or not a number."""
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


COMPARISONS: dict[str, Operation] = {
    "==": equal,
    "!=": unequal,
    "<": _ordered(operator.lt),  # type: ignore[arg-type]  # both operands are of one kind
    "<=": _ordered(operator.le),  # type: ignore[arg-type]
    ">": _ordered(operator.gt),  # type: ignore[arg-type]
    ">=": _ordered(operator.ge),  # type: ignore[arg-type]
}
ARITHMETIC: dict[str, Operation] = {
    "+": _arithmetic(operator.add, operator.add, operator.add),
    "-": _arithmetic(operator.sub, operator.sub),
    "*": _arithmetic(operator.mul, operator.mul),
    "/": _arithmetic(_divide, _divide_doubles),
    "%": _arithmetic(_remainder, None),
}


def unsigned(operation: Operation) -> Operation:
    """The same for uints: a result outside 0 … 2⁶⁴ − 1 is an error."""
    on_ints = {
        ARITHMETIC["+"]: operator.add,
        ARITHMETIC["-"]: operator.sub,
        ARITHMETIC["*"]: operator.mul,
        ARITHMETIC["/"]: _divide,
        ARITHMETIC["%"]: _remainder,
    }[operation]

    def run(a: Value, b: Value) -> Value:
        if type(a) is not int or type(b) is not int:
            raise UndecidableError
        result: int = on_ints(a, b)
        if not 0 <= result <= _UINT_MAX:
            raise UndecidableError
        return result

    return run


def negative(a: Value) -> Value:
    """`-a` of an int or a double."""
    if type(a) is float or (type(a) is int and a != _INT_MIN):
        return -a
    raise UndecidableError


def size(a: Value) -> int:
    """The number of characters of a string."""
    if type(a) is not str:
        raise UndecidableError
    return len(a)


def string_test(test: Callable[[str, str], bool]) -> Callable[[Value, Value], bool]:
    """A method of strings that is an error for anything else."""

    def run(a: Value, b: Value) -> bool:
        if type(a) is not str or type(b) is not str:
            raise UndecidableError
        return test(a, b)

    return run
