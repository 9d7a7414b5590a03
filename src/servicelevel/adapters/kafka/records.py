"""Batches of records as the client's C extension reads them, without a ConsumerRecord for each.

Making a ConsumerRecord costs about as much as reading the record itself. aiokafka's fetcher
makes them one by one while a batch is drained (`PartitionRecords._consumer_record`), and keeps
what it has fetched in a dict. `hand_over_raw` puts a dict in that place which tells each batch,
as it comes in, to hand over its records as they are, and none of its batches stops at a header's
name that is no UTF-8 (`lenient`). Only this one consumer is changed. Where
aiokafka is not built as expected nothing is changed, and ConsumerRecords come out: both are
`RawRecord`s.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher as aiokafka_fetcher

from servicelevel.adapters.kafka.lenient import can_read_leniently, read_leniently

log = logging.getLogger(__name__)


def hand_over_raw(consumer: AIOKafkaConsumer) -> bool:
    """Let `getmany` of this started consumer give the batch's own records from now on.

    False if this aiokafka is not as expected; then it goes on giving ConsumerRecords. A consumer
    with deserializers is left alone, as they would be skipped.
    """
    fetcher = getattr(consumer, "_fetcher", None)
    if not _as_expected(fetcher):
        log.warning("this aiokafka is not known: records are read the slower way")
        return False
    assert fetcher is not None  # noqa: S101  # for the type checker
    fetcher._records = _RawResults(fetcher._records)
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
        and {"_update_position", "getall", "getone"} <= vars(result or object).keys()
    )


class _RawResults(OrderedDict[Any, Any]):
    """The fetcher's buffer: what is put in hands over raw records."""

    def __setitem__(self, partition: Any, result: Any) -> None:
        batch = getattr(result, "_partition_records", None)
        if type(batch) is aiokafka_fetcher.PartitionRecords:
            result._partition_records = _RawBatch(batch)
        super().__setitem__(partition, result)


class _RawBatch:
    """In place of a PartitionRecords: the same iteration and position, raw records."""

    __slots__ = ("_batch",)

    def __init__(self, batch: Any) -> None:
        batch._consumer_record = _as_it_is  # on this object, before the class's own
        self._batch = batch

    @property
    def next_fetch_offset(self) -> int:
        offset: int = self._batch.next_fetch_offset
        return offset

    def __iter__(self) -> Iterator[Any]:
        # The generator itself: one call a record less than the batch's `__next__`.
        return self._batch._records_iterator or iter(())

    def __next__(self) -> Any:
        return next(self._batch)


def _as_it_is(_partition: Any, record: Any) -> Any:
    return record
