"""YAML read as plain values of which each knows its line and column.

YAML 1.2 core schema: `yes` and timestamps are text, fractions are exact `Decimal`s. Refused, with
the place: duplicate keys, keys that are not text, merge keys, foreign tags, NaN and infinities,
absurd exponents, deep nesting, and aliases that expand to too many nodes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import yaml

Key = str | int
KeyPath = tuple[Key, ...]

MAX_MESSAGE = 300  # characters
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_EXPONENT = 30
_MAX_INT_DIGITS = 40
_TAG = "tag:yaml.org,2002:"
_CORE = (
    ("null", re.compile(r"(?:null|Null|NULL|~|)")),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)")),
    ("int", re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)")),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")),
    ("unbounded", re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))")),
)


class Position(NamedTuple):
    """A place in a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """What is wrong with the text itself; `rule` is a short code."""

    position: Position
    rule: str
    message: str


@dataclass(slots=True)
class YamlDocument:
    """One document: str, int, Decimal, bool, None, lists and dicts with text keys.

    `values` and `keys` give the place of each value, and of each mapping key, by path; `texts`
    that of the first character of each text that stands in the file as it reads.
    """

    value: Any = None
    values: dict[KeyPath, Position] = field(default_factory=dict)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    texts: dict[KeyPath, Position] = field(default_factory=dict)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Position:
        """Where `path` is, or the nearest thing around it that exists."""
        places: Mapping[KeyPath, Position] = self.keys if of_key else self.values
        while path:
            if path in places:
                return places[path]
            path, places = path[:-1], self.values
        return self.values.get((), Position(1, 1))


def read_yaml(text: str) -> tuple[list[YamlDocument], list[YamlProblem]]:
    """Every document up to the first syntax error, and all that is wrong; empty ones are left out.

    Documents with a problem of their own are left out too.
    """
    documents: list[YamlDocument] = []
    problems: list[YamlProblem] = []
    nodes = 0
    for node in _compose(text, problems):
        builder = _Builder(problems, nodes)
        before = len(problems)
        builder.document.value = builder.build(node, (), 0)
        if len(problems) == before and builder.document.value is not None:
            documents.append(builder.document)
        nodes = builder.nodes
        if nodes > MAX_NODES:
            break
    return documents, problems


def _compose(text: str, problems: list[YamlProblem]) -> Iterator[yaml.Node]:
    """Nodes document by document; a syntax error ends the file."""
    loader = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield node
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        position = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"character U+{ord(text[error.position]):04X} is not allowed: remove it"
        problems.append(YamlProblem(position, "yaml/character", message))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        parts = [part for part in (error.context, error.problem) if part]
        problems.append(YamlProblem(_position(mark), "yaml/syntax", _shortened(": ".join(parts))))
    except (ValueError, OverflowError) as error:  # escapes beyond Unicode
        mark = loader.get_mark() if loader is not None else None
        problems.append(YamlProblem(_position(mark), "yaml/syntax", str(error)))


def _shortened(text: str) -> str:
    """It may quote a name of the file, however long."""
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


class _Loader(yaml.SafeLoader):
    """Composes nodes only, with the core schema's tags, to a bounded depth."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode:
            return _TAG + (_core_type(value) if implicit[0] else "str")
        return _TAG + ("seq" if kind is yaml.SequenceNode else "map")

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise yaml.composer.ComposerError(None, None, message, self.get_mark())
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _core_type(text: str) -> str:
    return next((name for name, form in _CORE if form.fullmatch(text)), "str")


class _Builder:
    """Turns the nodes of one document into values, noting places and problems.

    `nodes` counts on from the documents before: the bound is the file's, however it is cut.
    """

    def __init__(self, problems: list[YamlProblem], nodes: int) -> None:
        self.document = YamlDocument()
        self.nodes = nodes
        self._problems = problems

    def build(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            if self.nodes <= MAX_NODES + 1:
                limit = f"more than {MAX_NODES} nodes or {MAX_DEPTH} levels"
                self._report(node, "yaml/size", f"aliases expand to {limit}: write less of them")
            self.nodes = MAX_NODES + 2  # said once; nothing more is expanded
            return None
        self.document.values[path] = _position(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            if not self._has_tag(node, "seq"):
                return None
            return [self.build(n, (*path, i), depth + 1) for i, n in enumerate(node.value)]
        content = _content(node)
        if content is not None:
            self.document.texts[path] = content
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[str, Any] | None:
        if not self._has_tag(node, "map"):
            return None
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if key in result:
                first = self.document.keys[(*path, key)]
                message = f"`{_short(key)}` is already given in line {first.line}: keep one of them"
                self._report(key_node, "yaml/duplicate-key", message)
                continue
            self.document.keys[(*path, key)] = _position(key_node.start_mark)
            result[key] = self.build(value_node, (*path, key), depth + 1)
        return result

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TAG + "str":
            text = _short(str(node.value)) if isinstance(node, yaml.ScalarNode) else "…"
            self._report(node, "yaml/key", f'a key must be text: write "{text}" in quotes')
            return None
        if node.value == "<<" and node.style is None:
            message = "merge keys (`<<`) are not YAML 1.2: write the fields out"
            self._report(node, "yaml/merge-key", message)
            return None
        key = self._scalar(node)
        return key if isinstance(key, str) else None

    def _scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            return self._text(node, text)
        form = dict(_CORE).get("float" if kind == "float" else kind)
        if form is None or (kind != "unbounded" and not _is_of(kind, form, text)):
            message = f"the tag `{_short(node.tag)}` cannot be used here: remove it"
            self._report(node, "yaml/tag", message)
            return None
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "unbounded":
                self._report(node, "yaml/number", f"`{text}` is not a finite number: write one")
                return None
            case _:
                return self._number(node, text, kind)

    def _text(self, node: yaml.Node, text: str) -> str | None:
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._report(node, "yaml/character", "half of a surrogate pair: write the character")
            return None
        return text

    def _number(self, node: yaml.Node, text: str, kind: str) -> int | Decimal | None:
        number: int | Decimal | None = None
        if kind == "int" and len(text) <= _MAX_INT_DIGITS:
            base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
            number = int(text, base)
        elif kind == "float" and len(text) <= 2 * _MAX_INT_DIGITS:
            number = Decimal(text)
            if number and abs(number.adjusted()) > MAX_EXPONENT:
                number = None
        if number is None:
            message = f"`{_short(text)}` is too long or of too large an exponent: write it shorter"
            self._report(node, "yaml/number", message)
        return number

    def _has_tag(self, node: yaml.Node, kind: str) -> bool:
        if node.tag == _TAG + kind:
            return True
        message = f"the tag `{_short(node.tag)}` cannot be used here: remove it"
        self._report(node, "yaml/tag", message)
        return False

    def _report(self, node: yaml.Node, rule: str, message: str) -> None:
        self._problems.append(YamlProblem(_position(node.start_mark), rule, message))


def _is_of(kind: str, form: re.Pattern[str], text: str) -> bool:
    """Whether an explicitly tagged scalar (`!!int x`) is what its tag says."""
    return form.fullmatch(text) is not None or (kind == "float" and _core_type(text) == "int")


def _content(node: yaml.Node) -> Position | None:
    """Where a scalar's text begins, if its lines and columns are those of the file."""
    start, end = node.start_mark, node.end_mark
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if style == "|" and start.buffer is not None:
        return _block_content(start)
    if start.line != end.line or style not in (None, "'", '"'):
        return None
    return Position(start.line + 1, start.column + (1 if style is None else 2))


def _block_content(start: Any) -> Position | None:
    """Where the first line of a block scalar begins; None if there is none, or of odd breaks."""
    first = start.buffer.find("\n", start.pointer) + 1
    end = start.buffer.find("\n", first)
    if not first or end < 0:
        return None
    line = start.buffer[first:end]
    return Position(start.line + 2, len(line) - len(line.lstrip(" ")) + 1)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark is not None else Position(1, 1)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
