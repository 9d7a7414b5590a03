"""The reason codes are those that the reference page tells of."""

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.refusal import MAX_DEPTH, Reason, is_too_deep

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "events.md"


def test_the_reference_has_every_reason() -> None:
    text = REFERENCE.read_text("utf-8")
    section = text[text.index("## Dead letters") : text.index("## Source mappings")]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == [str(reason) for reason in Reason]
    assert f"deeper than {MAX_DEPTH} levels" in section


def test_brackets_inside_texts_do_not_nest() -> None:
    assert not is_too_deep(b'{"a":"' + b"[" * 2_000 + b'"}')
    assert not is_too_deep(b'{"a":"' + b'\\"[' * 2_000 + b'"}')
    assert not is_too_deep(b"[" + b"[]," * 2_000 + b"[]]")
    assert is_too_deep(b'{"a":"\\\\",' + b'"b":{' * 400 + b"}" * 401)


deep = st.recursive(
    st.text(st.sampled_from('a\\"[]{}'), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just('"[\\'), inner),
    max_leaves=6,
)


@given(deep, st.integers(0, MAX_DEPTH + 2))
def test_depth_is_that_of_the_document(inner: Any, more: int) -> None:
    document = [inner, ["x" * 2 * MAX_DEPTH]]  # long enough to be looked at
    for _ in range(more):
        document = [document, "[" * MAX_DEPTH]
    assert is_too_deep(json.dumps(document).encode()) == (depth_of(document) > MAX_DEPTH)


def depth_of(document: Any) -> int:
    """Level by level, as Python's own stack may not be as deep."""
    depth, level = 0, [document]
    while level := [each for each in level if isinstance(each, list | dict)]:
        depth += 1
        level = [one for e in level for one in (e.values() if isinstance(e, dict) else e)]
    return depth


def test_looking_for_depth_takes_linear_time() -> None:
    """An unclosed text of escaped quotes would take hours if each quote were tried anew."""
    assert not is_too_deep(b"[]" * 300 + b'"' + b'\\"' * 500_000)
    assert not is_too_deep(b"[]" * 300 + b'"' + b"\\" * 1_000_001)
