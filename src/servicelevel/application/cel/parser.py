"""Text of CEL to a small tree of our own, with the position of every node.

The grammar is cel-python's; its tree has a dozen levels for each level of meaning, which are
taken out here.
"""

from functools import lru_cache
from typing import Any, TypeAlias

from celpy.celparser import CELParseError, CELParser
from lark import Tree
from lark.exceptions import UnexpectedToken

from servicelevel.application.cel import literals
from servicelevel.application.cel.nodes import (
    At,
    Binary,
    Call,
    Choice,
    Index,
    ListOf,
    Literal,
    Logic,
    Name,
    Node,
    Select,
    Unary,
)
from servicelevel.errors import CelError

MAX_CHARACTERS = 4_096
MAX_DEPTH = 64

_Tree: TypeAlias = Tree[Any]


_LOGIC = {"conditionalor": "||", "conditionaland": "&&"}
_OPERATORS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
    "unary_not": "!",
    "unary_neg": "-",
}
_UNSUPPORTED = {
    "map_lit": "a map literal; compare the fields one by one",
    "member_object": "a message literal; compare the fields one by one",
    "dot_ident": "a leading dot; write the name alone",
    "dot_ident_arg": "a leading dot; write the name alone",
}


def parse(text: str) -> Node:
    """Read one expression; raises CelError for anything that is not one."""
    if len(text) > MAX_CHARACTERS:
        raise CelError(
            f"the expression has {len(text)} characters; at most {MAX_CHARACTERS} are read",
            line=1,
            column=1,
        )
    literals.check_strings(text)
    try:
        tree = _parser().parse(text)
    except CELParseError as error:
        raise _syntax_error(text, error) from None
    return _Reader().read(tree, 0)


@lru_cache(maxsize=1)
def _parser() -> CELParser:
    return CELParser()


def _syntax_error(text: str, error: CELParseError) -> CelError:
    cause = error.__context__
    if isinstance(cause, UnexpectedToken) and cause.token.type == "$END":
        line, column = literals.position(text, len(text))
        problem = "the expression ends too early; complete it"
    else:
        line, column = error.line or 1, error.column or 1
        rest = text.split("\n")[line - 1][column - 1 :][:20]
        problem = f"this is no CEL: {rest!a}"
    return CelError(f"{problem}; write the like of `status_code < 500`", line=line, column=column)


class _Reader:
    """Takes a tree of the grammar's rules apart, to a bounded depth."""

    def __init__(self) -> None:
        self._near: At = (1, 1)

    def read(self, tree: _Tree, depth: int) -> Node:
        while len(tree.children) == 1 and isinstance(tree.children[0], Tree):
            if tree.data in ("list_lit", "exprlist") or tree.data in _UNSUPPORTED:
                break
            tree = tree.children[0]
        at = self._near = self._at(tree)
        if depth > MAX_DEPTH:
            raise CelError(
                f"nested deeper than {MAX_DEPTH} levels; write a flatter expression",
                line=at[0],
                column=at[1],
            )
        rule = str(tree.data)
        if rule in _UNSUPPORTED:
            raise CelError(f"not supported: {_UNSUPPORTED[rule]}", line=at[0], column=at[1])
        if rule in _LOGIC:
            return self._logic(tree, at, depth + 1)
        if rule == "expr":
            condition, then, otherwise = (self.read(c, depth + 1) for c in tree.children)
            return Choice(at, condition, then, otherwise)
        if rule in ("relation", "addition", "multiplication"):
            head, right = tree.children
            left = self.read(head.children[0], depth + 1)
            return Binary(at, _OPERATORS[head.data], left, self.read(right, depth + 1))
        if rule == "unary":
            sign, operand = tree.children
            return Unary(at, _OPERATORS[sign.data], self.read(operand, depth + 1))
        return self._member(tree, rule, at, depth + 1)

    def _at(self, tree: _Tree) -> At:
        """Where a node begins; the parser drops the positions of `true` and `false`."""
        line, column = (getattr(tree.meta, name, None) for name in ("line", "column"))
        return self._near if line is None or column is None else (line, column)

    def _logic(self, tree: _Tree, at: At, depth: int) -> Logic:
        rule, parts = tree.data, []
        while tree.data == rule and len(tree.children) == 2:
            tree, part = tree.children
            parts.append(self.read(part, depth))
        parts.append(self.read(tree, depth))
        return Logic(at, _LOGIC[str(rule)], tuple(reversed(parts)))

    def _member(self, tree: _Tree, rule: str, at: At, depth: int) -> Node:
        children = tree.children
        if rule == "literal":
            return _literal(children[0], at)
        if rule == "ident":
            return Name(at, str(children[0]))
        if rule == "ident_arg":
            return Call(at, str(children[0]), None, self._arguments(children[1:], depth))
        if rule == "list_lit":
            return ListOf(at, self._arguments(children, depth))
        operand = self.read(children[0], depth)
        if rule == "member_dot":
            return Select(at, operand, str(children[1]))
        if rule == "member_dot_arg":
            arguments = self._arguments(children[2:], depth)
            return Call(at, str(children[1]), operand, arguments)
        return Index(at, operand, self.read(children[1], depth))

    def _arguments(self, lists: list[Any], depth: int) -> tuple[Node, ...]:
        return tuple(self.read(child, depth) for each in lists for child in each.children)


def _literal(token: Any, at: At) -> Literal:
    text = str(token)
    match token.type:
        case "INT_LIT":
            return Literal(at, "int", literals.int_value(text, at))
        case "UINT_LIT":
            return Literal(at, "uint", literals.uint_value(text, at))
        case "FLOAT_LIT":
            return Literal(at, "double", literals.double_value(text, at))
        case "BOOL_LIT":
            return Literal(at, "bool", text == "true")
        case "NULL_LIT":
            return Literal(at, "null", None)
        case "BYTES_LIT":
            raise CelError("bytes are not supported; write a string", line=at[0], column=at[1])
        case _:
            return Literal(at, "string", literals.string_value(text, at))
