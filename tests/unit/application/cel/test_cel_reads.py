"""What a predicate tells of what it reads."""

import pytest

from servicelevel.application.cel import Predicate, Threshold, compile_predicate


def read(text: str) -> Predicate:
    return compile_predicate(text, event="request")


def test_comparisons_with_constants_are_thresholds() -> None:
    predicate = read("status_code < 500 && 0.1 + 0.2 <= duration_ms && duration_ms <= 300")
    assert predicate.fields == frozenset()
    assert predicate.thresholds == {
        "status_code": (Threshold(500, closed=True),),
        "duration_ms": (Threshold(0.1 + 0.2, closed=True), Threshold(300, closed=False)),
    }


@pytest.mark.parametrize(
    "text", ["status_code == 404", "404 != status_code", "status_code in [404]"]
)
def test_equality_has_two_sides(text: str) -> None:
    both = (Threshold(404, closed=True), Threshold(404, closed=False))
    assert read(text).thresholds == {"status_code": both}


def test_texts_compared_with_constants_are_choices() -> None:
    predicate = read("operation in ['a', 'b'] || 'c' == operation || operation != 'd'")
    assert predicate.choices == {"operation": frozenset("abcd")}
    assert predicate.fields == frozenset()


def test_presence_alone() -> None:
    predicate = read("has(duration_ms) && has(operation)")
    assert predicate.thresholds == {"duration_ms": ()}
    assert predicate.choices == {"operation": frozenset()}
    assert predicate.fields == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "status_code < 500 && status_code % 2 == 0",
        "status_code / 100 == 5",
        "status_code in [attributes.n]",
        "status_code < 1.0 / 0.0",
        "status_code in []",
        "(true ? status_code : 1) == 1",
        "status_code == duration_ms",
        "-status_code < 1",
    ],
)
def test_otherwise_the_value_matters(text: str) -> None:
    predicate = read(text)
    assert "status_code" in predicate.fields
    assert "status_code" not in predicate.thresholds


@pytest.mark.parametrize(
    "text",
    [
        "operation < 'b'",
        "operation.startsWith('a')",
        "service.contains(operation)",
        "operation.matches('a')",
        "size(operation) == 2",
        "operation + 'a' == 'b'",
        "attributes.region == operation",
    ],
)
def test_otherwise_the_text_matters(text: str) -> None:
    predicate = read(text)
    assert "operation" in predicate.fields
    assert "operation" not in predicate.choices


def test_attributes_are_read_by_name() -> None:
    predicate = read("attributes.a == 1 && has(attributes['b c'])")
    assert predicate.fields == {"attributes.a", "attributes.b c"}


def test_nothing_is_read() -> None:
    predicate = read("")
    assert (predicate.fields, predicate.thresholds, predicate.choices) == (frozenset(), {}, {})
