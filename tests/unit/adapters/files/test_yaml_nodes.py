from decimal import Decimal

import pytest

from servicelevel.adapters.files.yaml_nodes import MAX_DEPTH, Position, read_yaml


def one(text: str) -> object:
    documents, problems = read_yaml(text)
    assert problems == []
    assert len(documents) == 1
    return documents[0].value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", "tilde"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("12:30:00", "12:30:00"),
        ("2026-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("2026-01-01", "2026-01-01"),
        ("0.999", Decimal("0.999")),
        ("1_000", "1_000"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!float 1", Decimal(1)),
        ("-0.5e-3", Decimal("-0.0005")),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    expected = {"a": None if value == "tilde" else value}
    result = one(f"a: {text}")
    assert result == expected
    assert isinstance(result, dict)
    assert type(result["a"]) is type(expected["a"])


@pytest.mark.parametrize(
    ("text", "rule", "position"),
    [
        ("a: 1\nb: 2\na: 3\n", "yaml/duplicate-key", Position(3, 1)),
        ("x:\n  - {b: 1, 'b': 2}\n", "yaml/duplicate-key", Position(2, 12)),
        ("1: x\n", "yaml/key", Position(1, 1)),
        ("? [a]\n: x\n", "yaml/key", Position(1, 3)),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "yaml/merge-key", Position(3, 3)),
        ("a: !!python/object:os.system x\n", "yaml/tag", Position(1, 4)),
        ("a: !!binary aGk=\n", "yaml/tag", Position(1, 4)),
        ("a: !!int x\n", "yaml/tag", Position(1, 4)),
        ("a: !mine {b: 1}\n", "yaml/tag", Position(1, 4)),
        ("a: .nan\n", "yaml/number", Position(1, 4)),
        ("a: -.inf\n", "yaml/number", Position(1, 4)),
        ("a: 1e999999999\n", "yaml/number", Position(1, 4)),
        ("a: " + "9" * 5000, "yaml/number", Position(1, 4)),
        ("a: 1\n b: 2\n", "yaml/syntax", Position(2, 3)),
        ("a: [1\n", "yaml/syntax", Position(2, 1)),
        ("a: *nowhere\n", "yaml/syntax", Position(1, 4)),
        ("a: b\nc: \x07\n", "yaml/character", Position(2, 4)),
        ('a: "\\ud800"\n', "yaml/character", Position(1, 4)),
    ],
)
def test_refuses_with_the_place(text: str, rule: str, position: Position) -> None:
    documents, problems = read_yaml(text)
    assert documents == []
    assert [(p.rule, p.position) for p in problems] == [(rule, position)]


def test_an_escape_beyond_unicode_is_a_syntax_error() -> None:
    assert [p.rule for p in read_yaml('a: "\\UFFFFFFFF"\n')[1]] == ["yaml/syntax"]


def test_documents_before_a_syntax_error_are_read() -> None:
    documents, problems = read_yaml("a: 1\n---\nb: [\n")
    assert [d.value for d in documents] == [{"a": 1}]
    assert [p.rule for p in problems] == ["yaml/syntax"]


def test_a_document_with_a_duplicate_key_spoils_no_other() -> None:
    documents, _ = read_yaml("a: 1\na: 2\n---\nb: 1\n")
    assert [d.value for d in documents] == [{"b": 1}]


def test_empty_documents_are_left_out() -> None:
    assert read_yaml("# nothing\n---\n---\n") == ([], [])


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000])
def test_nesting_is_bounded(depth: int) -> None:
    documents, problems = read_yaml("[" * depth + "]" * depth)
    assert documents == []
    assert [p.rule for p in problems] == ["yaml/syntax"]
    assert "nested deeper" in problems[0].message


def test_alias_bombs_are_bounded() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    documents, problems = read_yaml("\n".join(levels))
    assert documents == []
    assert [p.rule for p in problems] == ["yaml/size"]


def test_an_alias_to_itself_is_bounded() -> None:
    documents, problems = read_yaml("a: &a [*a]\n")
    assert documents == []
    assert [p.rule for p in problems] == ["yaml/size"]


def test_places_of_values_keys_and_texts() -> None:
    documents, _ = read_yaml("a:\n  - b: 'text'\n    c: |\n      first\n      second\n")
    document = documents[0]
    assert document.place(("a", 0, "b")) == Position(2, 8)
    assert document.place(("a", 0, "c"), of_key=True) == Position(3, 5)
    assert document.texts["a", 0, "b"] == Position(2, 9)
    assert document.texts["a", 0, "c"] == Position(4, 7)


def test_the_place_of_what_is_missing_is_that_of_what_surrounds_it() -> None:
    documents, _ = read_yaml("a:\n  b: {c: 1}\n")
    assert documents[0].place(("a", "b", "x", "y")) == Position(2, 6)


def test_a_message_does_not_quote_a_long_name_whole() -> None:
    _, (problem,) = read_yaml("*" + "a" * 5_000)
    assert "undefined alias" in problem.message
    assert len(problem.message) <= 300
