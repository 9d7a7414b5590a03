"""Paths: JMESPath as its own interpreter reads it, and the two functions of ours."""

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from servicelevel.schemas.paths import compile_path

ATTRIBUTES = [
    {"key": "service.name", "value": {"stringValue": "shop"}},
    {"key": "status", "value": {"intValue": "9007199254740993"}},
    {"key": "as a number", "value": {"intValue": 503}},
    {"key": "share", "value": {"doubleValue": 0.25}},
    {"key": "retried", "value": {"boolValue": False}},
    {"key": "empty", "value": {"stringValue": ""}},
    {"key": "tags", "value": {"arrayValue": {"values": []}}},
    {"key": "no value"},
    "no pair",
    {"key": "after that", "value": {"intValue": "1"}},
]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("service.name", "shop"),
        ("status", 9_007_199_254_740_993),
        ("as a number", 503),
        ("share", 0.25),
        ("retried", False),
        ("empty", ""),
        ("tags", None),
        ("no value", None),
        ("after that", 1),
        ("absent", None),
    ],
)
@pytest.mark.parametrize("more", [0, 100])
def test_attribute_reads_a_scalar(key: str, expected: Any, more: int) -> None:
    others = [{"key": f"other {n}", "value": {"intValue": n}} for n in range(more)]
    second = [{"key": pair["key"]} for pair in ATTRIBUTES if isinstance(pair, dict)]
    found = compile_path(f"attribute(span.attributes, '{key}')")(
        {"span": {"attributes": [*others, *ATTRIBUTES, *second]}}
    )
    assert (found, type(found)) == (expected, type(expected))


def test_attributes_that_many_share_are_looked_through_once() -> None:
    class Pair(dict[str, Any]):
        looks = 0

        def get(self, *args: Any) -> Any:
            Pair.looks += 1
            return super().get(*args)

    shared = [Pair(key=str(n), value={"intValue": n}) for n in range(1_000)]
    read = compile_path("attribute(own, '99') || attribute(shared, '999')")
    for n in range(1_000):
        own = [{"key": "other", "value": {"intValue": n}}] * 50
        assert read({"own": own, "shared": shared}) == 999
    assert Pair.looks <= 3 * len(shared)


def test_attribute_of_no_list_is_nothing() -> None:
    assert compile_path("attribute(attributes, 'a') || 'none'")({}) == "none"


@pytest.mark.parametrize(
    "attributes", ["text", {"a": 1}, [{"key": "a", "value": {"intValue": "1.5"}}]]
)
def test_attribute_refuses_what_is_no_list_of_attributes(attributes: Any) -> None:
    with pytest.raises((JMESPathError, ValueError)):
        compile_path("attribute(attributes, 'a')")({"attributes": attributes})


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("1767225600123456789", "1767225600123456788", 1),
        (5, "2", 3),
        (0.3, "0.1", 0.2),
        ("1", None, None),
        ("", 1, None),
        ("-", 1, None),
    ],
)
def test_minus_is_exact(a: Any, b: Any, expected: Any) -> None:
    assert compile_path("minus(a, b)")({"a": a, "b": b}) == expected


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_minus_of_64_bits_is_exact(a: int, b: int) -> None:
    assert compile_path("minus(a, b)")({"a": str(a), "b": b}) == a - b


def test_minus_refuses_what_is_no_number() -> None:
    for wrong in ("noon", True, [], "NaN", "1e99"):
        with pytest.raises(ValueError, match="is no number"):
            compile_path("minus(a, b)")({"a": wrong, "b": 1})


@pytest.mark.parametrize("path", ["a..b", "atribute(a, 'b')", "[?minsu(a, b) == `1`]"])
def test_refuses_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=r"no JMESPath expression|there is no function"):
        compile_path(path)


PATHS = [
    *["a", "a.b", "a.b.c", "a || b", "a.b || b || 'x'", "not_null(a, b)", "length(a || 'four')"],
    *["a || `0`", "a[0].b", "a[?b=='x'] | [0]", "a && b", "!a", "@", "a.*", "sort_by(a, &b)"],
]
documents = st.recursive(
    st.sampled_from([None, True, False, 0, 1, "", "x", 0.5]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from(PATHS), documents)
def test_a_path_reads_what_jmespath_reads(path: str, document: Any) -> None:
    def told(read: Any) -> Any:
        try:
            found = read(document)
        except JMESPathError as error:
            return type(error), str(error)
        return found, type(found)

    assert told(compile_path(path)) == told(jmespath.compile(path).search)
