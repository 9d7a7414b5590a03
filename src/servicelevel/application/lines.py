"""Recorded lines, alone and many in one piece, which is the same and costs much less."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, cast, overload, runtime_checkable

from servicelevel.application.ports import RawRecord


class RecordedLine(NamedTuple):
    """A recorded event in the shape of a broker's record; the offset is its line, from 0."""

    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Stripped(Sequence[bytes]):
    """Values without the white space around them, which is taken off only when one is asked for."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Sequence[bytes]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> "Stripped": ...
    def __getitem__(self, index: int | slice) -> "bytes | Stripped":
        if isinstance(index, slice):
            return Stripped(self._texts[index])
        return self._texts[index].strip()


class Lines(Sequence[RecordedLine]):
    """Lines that were read together: a record is made of one only when it is asked for.

    `texts` are the lines as they stand in the file; their values are without the white space.
    """

    __slots__ = ("offsets", "texts")

    def __init__(self, texts: list[bytes], offsets: Sequence[int]) -> None:
        self.texts = texts
        self.offsets = offsets

    @property
    def values(self) -> Stripped:
        """The value of each."""
        return Stripped(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> RecordedLine: ...
    @overload
    def __getitem__(self, index: slice) -> "Lines": ...
    def __getitem__(self, index: int | slice) -> "RecordedLine | Lines":
        if isinstance(index, slice):
            return Lines(self.texts[index], self.offsets[index])
        return RecordedLine(self.offsets[index], self.texts[index].strip())


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


def texts_of(records: Sequence[RawRecord]) -> list[bytes | None]:
    """The value of each; with white space around it where that is cheaper, as JSON allows."""
    if isinstance(records, Lines):
        return cast("list[bytes | None]", records.texts)
    return [record.value for record in records]


def values_of(records: Sequence[RawRecord]) -> Sequence[bytes | None]:
    """The value of each."""
    return records.values if isinstance(records, Lines) else texts_of(records)


def offsets_of(records: Sequence[RawRecord]) -> Sequence[int]:
    """The offset of each."""
    if isinstance(records, Lines):
        return records.offsets
    return [record.offset for record in records]
