"""The reason codes are those that the reference page tells of."""

import re
from pathlib import Path

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


def test_looking_for_depth_takes_linear_time() -> None:
    """An unclosed text of escaped quotes would take hours if each quote were tried anew."""
    assert not is_too_deep(b"[]" * 300 + b'"' + b'\\"' * 500_000)
    assert not is_too_deep(b"[]" * 300 + b'"' + b"\\" * 1_000_001)
