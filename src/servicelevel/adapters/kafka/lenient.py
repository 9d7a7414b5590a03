"""Batches of records with names of headers that are no UTF-8.

Kafka keeps such a name, and aiokafka raises UnicodeDecodeError when it comes to the record, each
time that it is read: one record of a careless producer would stop its partition for ever. Here
the name gets U+FFFD for what cannot be read, and no other batch is read any differently.
"""

from collections.abc import Iterator
from struct import Struct
from types import FunctionType, MethodType
from typing import Any

from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import default_records, memory_records

_HEAD = 12  # bytes of a batch before those that its length counts
_LENGTH_AT = 8
_length = Struct(">i").unpack_from
_MAKES_RECORDS = "_proc_fetch_request"


def can_read_leniently() -> bool:
    """Whether aiokafka is built as expected."""
    fetch = getattr(aiokafka_fetcher.Fetcher, _MAKES_RECORDS, None)
    return (
        isinstance(fetch, FunctionType)
        and "MemoryRecords" in fetch.__code__.co_names
        and hasattr(default_records, "_DefaultRecordBatchPy")
    )


def read_leniently(fetcher: Any) -> None:
    """Let this one fetcher make such records of the bytes that it gets."""
    fetch = getattr(aiokafka_fetcher.Fetcher, _MAKES_RECORDS)
    names = {**fetch.__globals__, "MemoryRecords": LenientRecords}
    own = FunctionType(fetch.__code__, names, fetch.__name__, fetch.__defaults__, fetch.__closure__)
    setattr(fetcher, _MAKES_RECORDS, MethodType(own, fetcher))


class LenientRecords:
    """In place of aiokafka's MemoryRecords: the same batches, lenient."""

    __slots__ = ("_at", "_raw", "_records", "has_next", "size_in_bytes")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = memory_records.MemoryRecords(raw)
        self.size_in_bytes = self._records.size_in_bytes
        self.has_next = self._records.has_next
        self._at = 0

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        start = self._at
        self._at += _HEAD + _length(self._raw, start + _LENGTH_AT)[0]
        if isinstance(batch, default_records.DefaultRecordBatch):
            return _LenientBatch(batch, self._raw, start, self._at)
        return batch  # of an old format, which knows no headers


class _LenientBatch:
    """A batch that is read again where a name in it cannot be read."""

    __slots__ = (
        "_batch",
        "_part",
        "base_offset",
        "is_control_batch",
        "is_transactional",
        "next_offset",
        "producer_id",
        "validate_crc",
    )

    def __init__(self, batch: Any, raw: bytes, start: int, end: int) -> None:
        self._batch = batch
        self._part = raw, start, end
        self.base_offset = batch.base_offset
        self.next_offset = batch.next_offset
        self.producer_id = batch.producer_id
        self.is_control_batch = batch.is_control_batch
        self.is_transactional = batch.is_transactional
        self.validate_crc = batch.validate_crc

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except (UnicodeDecodeError, CorruptRecordException):  # the latter: without C extension
            raw, start, end = self._part
            again: Any = default_records._DefaultRecordBatchPy(raw[start:end])
            iter(again)  # takes it out of its compression
            again._buffer = _LenientBytes(again._buffer)
            return again  # type: ignore[no-any-return]


class _LenientBytes(bytearray):
    """Bytes of which any part can be decoded."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _LenientBytes(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)
