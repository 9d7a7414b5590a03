"""Batches of records as the client's C extension reads them, without a ConsumerRecord for each.

Making a ConsumerRecord costs about as much as reading the record itself. aiokafka's fetcher
makes them one by one while a batch is drained (`PartitionRecords._consumer_record`), and keeps
what it has fetched in a dict. `hand_over_raw` puts a dict in that place which tells each batch,
as it comes in, to hand over its records as they are, or all of them in one list: then aiokafka
decides on transactions and positions by batch instead of by record. None of the batches stops at
a header's name that is no UTF-8 (`lenient`). Only this one consumer is changed. Where aiokafka is
not built as expected nothing is changed, and ConsumerRecords come out: both are `RawRecord`s.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher as aiokafka_fetcher

from servicelevel.adapters.kafka.lenient import can_read_leniently, read_leniently
from servicelevel.application.ports import RawRecord

log = logging.getLogger(__name__)


def hand_over_raw(consumer: AIOKafkaConsumer, *, in_lists: bool = False) -> bool:
    """Let `getmany` of this started consumer give the batch's own records from now on.

    `in_lists`: a `RecordList` for each batch instead of its records, for `flat`; `max_records` then
    counts batches. False if this aiokafka is not as expected; then it goes on
    giving ConsumerRecords. A consumer with deserializers is left alone, as they would be skipped.
    """
    fetcher = getattr(consumer, "_fetcher", None)
    if not _as_expected(fetcher):
        log.warning("this aiokafka is not known: records are read the slower way")
        return False
    assert fetcher is not None  # noqa: S101  # for the type checker
    fetcher._records = _RawResults(fetcher._records, in_lists=in_lists)
    read_leniently(fetcher)
    return True


def _as_expected(fetcher: Any) -> bool:
    batch = getattr(aiokafka_fetcher, "PartitionRecords", None)
    result = getattr(aiokafka_fetcher, "FetchResult", None)
    return (
        isinstance(fetcher, aiokafka_fetcher.Fetcher)
        and can_read_leniently()
        and type(getattr(fetcher, "_records", None)) is OrderedDict
        and getattr(fetcher, "_key_deserializer", ...) is None
        and getattr(fetcher, "_value_deserializer", ...) is None
        and {"_consumer_record", "_unpack_records", "__iter__"} <= vars(batch or object).keys()
        and {"has_next", "next_batch"} <= set(dir(aiokafka_fetcher.MemoryRecords))
        and {"_update_position", "getall", "getone"} <= vars(result or object).keys()
    )


class _RawResults(OrderedDict[Any, Any]):
    """The fetcher's buffer: what is put in hands over raw records, or lists of them."""

    def __init__(self, results: OrderedDict[Any, Any], *, in_lists: bool) -> None:
        super().__init__(results)
        self._in_lists = in_lists

    def __setitem__(self, partition: Any, result: Any) -> None:
        records: Any = getattr(result, "_partition_records", None)
        if type(records) is aiokafka_fetcher.PartitionRecords:
            records._consumer_record = _as_it_is  # on this object, before the class's own
            if self._in_lists:
                records._records = _Batches(records._records, records.next_fetch_offset)
            result._partition_records = _RawRecords(records)
        super().__setitem__(partition, result)


class _RawRecords:
    """In place of a PartitionRecords: the same iteration and position, raw records."""

    __slots__ = ("_records",)

    def __init__(self, records: Any) -> None:
        self._records = records

    @property
    def next_fetch_offset(self) -> int:
        offset: int = self._records.next_fetch_offset
        return offset

    def __iter__(self) -> Iterator[Any]:
        # The generator itself: one call a record less than the batch's `__next__`.
        return self._records._records_iterator or iter(())

    def __next__(self) -> Any:
        return next(self._records)


class _Batches:
    """In place of a MemoryRecords: batches of which each has its list as its only record."""

    __slots__ = ("_batches", "_first", "has_next")

    def __init__(self, batches: Any, first: int) -> None:
        self.has_next = batches.has_next
        self._batches = batches
        self._first = first  # a batch may begin before the offset that was asked for

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        return batch if batch is None or batch.is_control_batch else _Batch(batch, self._first)


class _Batch:
    """All that aiokafka asks of a batch, and a list in place of its records."""

    __slots__ = ("_batch", "_first")

    def __init__(self, batch: Any, first: int) -> None:
        self._batch = batch
        self._first = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator["RecordList"]:
        records = RecordList(self._batch)
        if records and records[0].offset < self._first:
            records = RecordList(record for record in records if record.offset >= self._first)
        if records:
            records.offset = records[-1].offset
            yield records


class RecordList(list[Any]):
    """The records of a batch; `offset` is that of the last, by which aiokafka goes on."""

    __slots__ = ("offset",)
    offset: int


def flat(records: Sequence[Any]) -> Sequence[RawRecord]:
    """The records that `getmany` gave for a partition, be they in lists or not."""
    if not records or not isinstance(records[0], RecordList):
        return records
    return records[0] if len(records) == 1 else list(chain.from_iterable(records))


def _as_it_is(_partition: Any, record: Any) -> Any:
    return record
