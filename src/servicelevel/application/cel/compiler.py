"""The tree of an expression to closures over an event, with a check of the types known before.

What depends on data is decided for each event; what is certain to be an error for every event
is refused here, with what to write instead.
"""

from collections.abc import Callable
from operator import attrgetter

import re2  # type: ignore[import-untyped]  # it ships no stubs

from servicelevel.application.cel import nodes, values
from servicelevel.application.cel.code import (
    Code,
    Run,
    arithmetic_type,
    check_comparable,
    constant,
    folded,
    refused,
)
from servicelevel.application.cel.reads import ATTRIBUTES, FIELD_TYPES, Reads
from servicelevel.application.cel.values import UndecidableError, Value
from servicelevel.domain.model import EventKind
from servicelevel.schemas.events import Event

_STRING_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}
_FUNCTIONS = "has(field), size(text), and on a text .startsWith(), .endsWith(), .contains(), "
_FUNCTIONS += ".matches(), .size()"


class Compiler:
    """Compiles one expression, and notes in `reads` what it reads of an event."""

    def __init__(self, event: EventKind) -> None:
        self.reads = Reads(event)
        self._event = event
        self._fields = FIELD_TYPES[event]

    def predicate(self, node: nodes.Node) -> Run:
        """The whole expression; its result must be a bool as far as one can tell."""
        code = self._boolean(node, "the expression")
        return code.run

    def _value(self, node: nodes.Node) -> Code:
        """A node whose very value matters."""
        code = self._code(node)
        if code.field is not None:
            self.reads.raw(code.field)
        return code

    def _boolean(self, node: nodes.Node, what: str) -> Code:
        code = self._value(node)
        if code.type not in ("bool", "dyn"):
            raise refused(
                node, f"{what} is of type {code.type}, not bool; compare it, as in `… == …`"
            )
        return code

    def _code(self, node: nodes.Node) -> Code:
        match node:
            case nodes.Literal():
                return constant(node.type, node.value)
            case nodes.Name():
                return self._name(node)
            case nodes.Select() | nodes.Index():
                return self._attribute(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Unary():
                return self._unary(node)
            case nodes.Binary(op="in"):
                return self._in(node)
            case nodes.Binary():
                return self._binary(node)
            case nodes.Logic():
                return self._logic(node)
            case nodes.Choice():
                return self._choice(node)
            case nodes.ListOf():
                raise refused(
                    node, "a list is read only right of `in`: `status_code in [500, 503]`"
                )

    # -- fields -------------------------------------------------------------------------------

    def _name(self, node: nodes.Name) -> Code:
        if node.name == ATTRIBUTES:
            raise refused(node, "name the attribute, as in `attributes.region`")
        if node.name not in self._fields:
            known = ", ".join([*sorted(self._fields), "attributes.NAME"])
            raise refused(node, f"no field `{node.name}` in a {self._event} event; known: {known}")
        get = attrgetter(node.name)

        def run(event: Event) -> Value:
            value: Value = get(event)
            if value is None:
                raise UndecidableError
            return value

        return Code(self._fields[node.name], run, field=node.name)

    def _attribute(self, node: nodes.Select | nodes.Index) -> Code:
        name = self._attribute_name(node)

        def run(event: Event) -> Value:
            attributes = event.attributes
            if attributes is None or name not in attributes:
                raise UndecidableError
            return attributes[name]

        return Code("dyn", run, field=f"{ATTRIBUTES}.{name}")

    def _attribute_name(self, node: nodes.Select | nodes.Index) -> str:
        if not (isinstance(node.operand, nodes.Name) and node.operand.name == ATTRIBUTES):
            raise refused(node, "only `attributes` has members, as in `attributes.region`")
        if isinstance(node, nodes.Select):
            return node.name
        if not (isinstance(node.index, nodes.Literal) and isinstance(node.index.value, str)):
            raise refused(node, 'the name must be a text in quotes, as in `attributes["region"]`')
        return node.index.value

    def _has(self, node: nodes.Call) -> Code:
        if len(node.arguments) != 1 or node.target is not None:
            raise refused(node, "has() takes one field, as in `has(attributes.region)`")
        argument = node.arguments[0]
        if isinstance(argument, nodes.Name) and argument.name != ATTRIBUTES:
            self._name(argument)
            get = attrgetter(argument.name)
            self.reads.presence(argument.name)
            return Code("bool", lambda event: get(event) is not None)
        if not isinstance(argument, nodes.Select | nodes.Index):
            raise refused(node, "has() takes one field, as in `has(attributes.region)`")
        name = self._attribute_name(argument)
        field = f"{ATTRIBUTES}.{name}"
        self.reads.raw(field)
        return Code("bool", lambda event: event.attributes is not None and name in event.attributes)

    # -- operators ----------------------------------------------------------------------------

    def _unary(self, node: nodes.Unary) -> Code:
        if node.op == "!":
            run = self._boolean(node.operand, "what follows `!`").run
            return Code("bool", lambda event: _not(run(event)))
        operand = self._value(node.operand)
        if operand.type not in ("int", "double", "dyn"):
            raise refused(node, f"`-` before a {operand.type}; write it before an int or a double")
        run = operand.run
        return folded(operand.type, lambda event: values.negative(run(event)), operand)

    def _binary(self, node: nodes.Binary) -> Code:
        left, right = self._code(node.left), self._code(node.right)
        if node.op in values.COMPARISONS:
            return self._comparison(node, left, right)
        for code in (left, right):
            if code.field is not None:
                self.reads.raw(code.field)
        kind = arithmetic_type(node, left.type, right.type)
        operate = values.ARITHMETIC[node.op]
        if kind == "uint":
            operate = values.unsigned(operate)
        a, b = left.run, right.run
        return folded(kind, lambda event: operate(a(event), b(event)), left, right)

    def _comparison(self, node: nodes.Binary, left: Code, right: Code) -> Code:
        check_comparable(node, left, right)
        self.reads.comparison(node.op, left.operand, right.operand)
        compare = values.COMPARISONS[node.op]
        a, b = left.run, right.run
        return folded("bool", lambda event: compare(a(event), b(event)), left, right)

    def _in(self, node: nodes.Binary) -> Code:
        if isinstance(node.right, nodes.Name) and node.right.name == ATTRIBUTES:
            raise refused(node, "write `has(attributes.region)` to ask whether one is there")
        if not isinstance(node.right, nodes.ListOf):
            raise refused(node, "right of `in` stands a list, as in `status_code in [500, 503]`")
        left = self._code(node.left)
        items = [self._value(item) for item in node.right.items]
        for item in items:
            check_comparable(node, left, item)
        self.reads.membership(left.operand, [item.operand for item in items])
        run = left.run
        if all(item.constant for item in items):
            among = [item.value for item in items]
            return Code("bool", lambda event: values.contained(run(event), among))
        runs = [item.run for item in items]
        return Code(
            "bool", lambda event: values.contained(run(event), [each(event) for each in runs])
        )

    def _logic(self, node: nodes.Logic) -> Code:
        runs = [self._boolean(part, f"a side of `{node.op}`").run for part in node.parts]
        deciding = node.op == "||"

        def run(event: Event) -> Value:
            failed = False
            for part in runs:
                try:
                    value = part(event)
                except UndecidableError:
                    failed = True
                    continue
                if value is deciding:
                    return deciding
                if not isinstance(value, bool):
                    failed = True
            if failed:
                raise UndecidableError
            return not deciding

        return Code("bool", run)

    def _choice(self, node: nodes.Choice) -> Code:
        condition = self._boolean(node.condition, "what stands before `?`").run
        then, otherwise = self._value(node.then), self._value(node.otherwise)
        kinds = {then.type, otherwise.type}
        if len(kinds - {"dyn"}) > 1 or ("uint" in kinds and len(kinds) > 1):
            raise refused(node, f"one type on both sides of `:`, not {' and '.join(sorted(kinds))}")
        kind = then.type if len(kinds) == 1 else "dyn"
        a, b = then.run, otherwise.run

        def run(event: Event) -> Value:
            value = condition(event)
            if not isinstance(value, bool):
                raise UndecidableError
            return a(event) if value else b(event)

        return Code(kind, run)

    # -- functions ----------------------------------------------------------------------------

    def _call(self, node: nodes.Call) -> Code:
        if node.name == "has":
            return self._has(node)
        operands = ((node.target,) if node.target is not None else ()) + node.arguments
        if node.name == "size" and len(operands) == 1:
            if isinstance(operands[0], nodes.ListOf):
                return constant("int", len(operands[0].items))
            operand = self._text(operands[0], "size()")
            run = operand.run
            return folded("int", lambda event: values.size(run(event)), operand)
        if node.target is None or len(operands) != 2:
            raise refused(
                node, f"no function `{node.name}` with such arguments; known: {_FUNCTIONS}"
            )
        if node.name == "matches":
            return self._matches(node, node.target)
        if node.name not in _STRING_TESTS:
            raise refused(node, f"no method `{node.name}`; known: {_FUNCTIONS}")
        text = self._text(node.target, f"{node.name}()")
        part = self._text(node.arguments[0], f"{node.name}()")
        test = values.string_test(_STRING_TESTS[node.name])
        a, b = text.run, part.run
        return Code("bool", lambda event: test(a(event), b(event)))

    def _text(self, node: nodes.Node, where: str) -> Code:
        code = self._value(node)
        if code.type not in ("string", "dyn"):
            raise refused(node, f"{where} is for texts, not for a {code.type}; compare it instead")
        return code

    def _matches(self, node: nodes.Call, target: nodes.Node) -> Code:
        literal = node.arguments[0]
        if not (isinstance(literal, nodes.Literal) and isinstance(literal.value, str)):
            raise refused(
                node, "the pattern must be a text in quotes: `operation.matches('^GET ')`"
            )
        options = re2.Options()
        options.log_errors = False
        try:
            search = re2.compile(literal.value, options).search
        except re2.error as error:
            detail = error.args[0] if error.args else error
            if isinstance(detail, bytes):
                detail = detail.decode(errors="replace")
            raise refused(literal, f"no RE2 pattern: {detail}; see its syntax") from None
        run = self._text(target, "matches()").run

        def matched(event: Event) -> Value:
            value = run(event)
            if type(value) is not str:
                raise UndecidableError
            try:
                return search(value) is not None
            except UnicodeEncodeError:  # half a surrogate pair is no text
                raise UndecidableError from None

        return Code("bool", matched)


def _not(value: Value) -> bool:
    if not isinstance(value, bool):
        raise UndecidableError
    return not value
