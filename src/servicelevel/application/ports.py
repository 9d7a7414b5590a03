"""What the use cases need from outside, as protocols."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

WallClock = Callable[[], int]
"""Milliseconds since the Unix epoch; an argument wherever it is needed."""


class RawRecord(Protocol):
    """One record as the broker keeps it."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class StoredEntry(NamedTuple):
    """A value and the counts offset last applied to it; `value` is plain JSON."""

    offset: int
    value: Any


class StateStore(Protocol):
    """All evaluator state of one counts partition.

    Writes are kept in the order they were made; a reader after a crash sees a prefix of them.
    """

    def get(self, key: str) -> StoredEntry | None: ...
    def put(self, key: str, offset: int, value: Any) -> None: ...
    def delete(self, key: str) -> None: ...
    def scan(self) -> Iterable[tuple[str, StoredEntry]]: ...


class Meter(Protocol):
    """Is told how long work goes on, in units of the work's choice."""

    def expect(self, size: int | None) -> None:
        """The whole of what is ahead; None where it is not known."""

    def advance(self, size: int) -> None:
        """So much more is done."""


class NoMeter:
    """Tells nobody."""

    def expect(self, size: int | None) -> None:
        """Nothing."""

    def advance(self, size: int) -> None:
        """Nothing."""
