"""Reads what surrounds the elements of a record once, and not for each of them again.

A record may hold tens of thousands of elements, and around them a list as long: looked through for
each element, it would take minutes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError

from servicelevel.schemas.mapping import SLOT, FieldMapping
from servicelevel.schemas.paths import roots

Document = Mapping[str, Any]
Reader = Callable[[Document], Any]
"""Raises UNREADABLE."""

UNREADABLE = (ValueError, TypeError, ArithmeticError, JMESPathError)


def remembering(read: Reader, mapped: FieldMapping, around: frozenset[str]) -> Reader:
    """The reader, with its last answer kept, if it looks only at what surrounds elements.

    `around` are the names of what does. The answer is given, or the error raised, again as long
    as these are the same objects.
    """
    names = _looks_at(mapped)
    if not names or not names <= around:
        return read
    ordered = sorted(names)
    seen: list[Any] = []
    answer: Any = None
    error: Exception | None = None

    def remembered(document: Document) -> Any:
        nonlocal seen, answer, error
        now = [document.get(name) for name in ordered]
        if not seen or any(a is not b for a, b in zip(now, seen, strict=True)):
            seen, answer, error = now, None, None
            try:
                answer = read(document)
            except UNREADABLE as found:
                error = found
        if error is not None:
            raise error.with_traceback(None)
        return answer

    return remembered


def _looks_at(mapped: FieldMapping) -> frozenset[str] | None:
    if mapped.path is not None:
        return roots(mapped.path)
    found = [roots(path) for path in SLOT.findall(mapped.template or "")]
    known = [each for each in found if each is not None]
    return frozenset().union(*known) if len(known) == len(found) else None
