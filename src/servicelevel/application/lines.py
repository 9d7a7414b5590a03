"""Recorded lines, alone and many in one piece, which is the same and costs much less."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, cast, overload, runtime_checkable

from servicelevel.application.fetched import Fetched
from servicelevel.application.ports import RawRecord


class RecordedLine(NamedTuple):
    """A recorded event in the shape of a broker's record; the offset is its line, from 0."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Lines(Sequence[RecordedLine]):
    """Lines that were read together: a record is made of one only when it is asked for.

    `block` is what they were read as: all values, and only white space between them.
    """

    __slots__ = ("_block", "offsets", "values")

    def __init__(
        self, values: list[bytes], offsets: Sequence[int], block: bytes | None = None
    ) -> None:
        self.values = values
        self.offsets = offsets
        self._block = block

    @property
    def block(self) -> bytes:
        """All values in one piece."""
        return b"\n".join(self.values) if self._block is None else self._block

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, index: int) -> RecordedLine: ...
    @overload
    def __getitem__(self, index: slice) -> "Lines": ...
    def __getitem__(self, index: int | slice) -> "RecordedLine | Lines":
        if isinstance(index, slice):
            return Lines(self.values[index], self.offsets[index])
        return RecordedLine(self.offsets[index], self.values[index])


@runtime_checkable
class InPieces(Protocol):
    """Records that can also be had many at a time, in the same order."""

    def pieces(self) -> Iterator[Sequence[RawRecord]]: ...


def in_pieces(records: Iterable[RawRecord], size: int) -> Iterator[Sequence[RawRecord]]:
    """The records in pieces: their own where they have any, else of this size."""
    if isinstance(records, InPieces):
        yield from records.pieces()
        return
    left = iter(records)
    while piece := list(islice(left, size)):
        yield piece


def values_of(records: Sequence[RawRecord]) -> list[bytes] | None:
    """The value of each, or None where one has none."""
    if isinstance(records, Lines):
        return records.values
    if isinstance(records, Fetched):
        values = records.values
    else:
        values = [record.value for record in records]
    return None if None in values else cast("list[bytes]", values)


def block_of(records: Sequence[RawRecord], values: list[bytes]) -> bytes:
    """The values of records, which are these, in one piece with white space between them."""
    return records.block if isinstance(records, Lines) else b"\n".join(values)


def offsets_of(records: Sequence[RawRecord]) -> Sequence[int]:
    """The offset of each."""
    if isinstance(records, Lines | Fetched):
        return records.offsets
    return [record.offset for record in records]
