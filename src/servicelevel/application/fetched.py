"""Records that were fetched together, with the columns that all of them are asked for."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

from servicelevel.application.ports import RawRecord


class Fetched(Sequence[RawRecord]):
    """A broker's records in order; a slice is another. `values` may hold None.

    The client's own records are asked for their fields once, not by each step: asking is a call.
    """

    def __init__(
        self,
        records: Sequence[RawRecord],
        values: list[bytes | None],
        offsets: list[int],
        *,
        has_headers: bool,
    ) -> None:
        self._records = records
        self.values = values
        self.offsets = offsets
        self.has_headers = has_headers

    @cached_property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(map(len, filter(None, self.values)))

    @classmethod
    def of(cls, records: Sequence[RawRecord]) -> "Fetched":
        """The columns of records."""
        return cls(
            records,
            [record.value for record in records],
            [record.offset for record in records],
            has_headers=any([record.headers for record in records]),  # noqa: C419  # a list is faster
        )

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[RawRecord]:
        return iter(self._records)

    @overload
    def __getitem__(self, index: int) -> RawRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Fetched": ...
    def __getitem__(self, index: int | slice) -> "RawRecord | Fetched":
        if isinstance(index, slice):
            return Fetched(
                self._records[index],
                self.values[index],
                self.offsets[index],
                has_headers=self.has_headers,
            )
        return self._records[index]
