"""Pulling the records of a range from a client that answers as it likes."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError

from servicelevel.adapters.kafka.group import SourceTopics
from servicelevel.adapters.kafka.recorded import Extent, RecordedTopics
from servicelevel.application.lines import RecordedLine
from servicelevel.application.ports import NoMeter
from servicelevel.errors import DependencyError
from servicelevel.settings import Settings

PARTITION = TopicPartition("p.requests", 0)
Answer = tuple[Sequence[int], int] | Exception
"""Offsets of records and the position after them; or what is raised."""


class Consumer:
    """Gives each answer once, then nothing more."""

    def __init__(self, *answers: Answer) -> None:
        self.fetched = False
        self._answers = list(answers)
        self._position = -1

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition == PARTITION
        self._position = offset

    def resume(self, _partition: TopicPartition) -> None:
        self.fetched = True

    def pause(self, _partition: TopicPartition) -> None:
        self.fetched = False

    async def position(self, _partition: TopicPartition) -> int:
        await asyncio.sleep(0)
        return self._position

    async def getmany(self, partition: TopicPartition, **_: Any) -> dict[Any, list[RecordedLine]]:
        await asyncio.sleep(0)
        assert self.fetched
        if not self._answers:
            return {}
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        offsets, self._position = answer
        return {partition: [RecordedLine(offset, b"") for offset in offsets]} if offsets else {}


class Counted(NoMeter):
    """Adds up."""

    done = 0

    def advance(self, size: int) -> None:
        self.done += size


def read(consumer: Consumer, start: int, end: int, meter: NoMeter | None = None) -> list[int]:
    topics = SourceTopics("p.", {"requests": "request"}, {"requests": 1})
    with asyncio.Runner() as runner:
        recorded = RecordedTopics(
            runner,
            cast(AIOKafkaConsumer, consumer),
            Settings(),
            [Extent(PARTITION, start, end)],
            topics,
            silent_s=0.01,
        )
        assert recorded.size == end - start
        (recording,) = recorded.recordings({}, meter or NoMeter())
        assert (recording.topic, recording.kind) == ("requests", "request")
        return [line.offset for line in recording.lines]


def test_records_at_the_end_of_the_range_and_after_it_are_left_out() -> None:
    consumer, meter = Consumer(([5, 6], 7), ([7, 8, 9], 10)), Counted()
    assert read(consumer, 5, 8, meter) == [5, 6, 7]
    assert meter.done == 3
    assert not consumer.fetched


def test_a_range_may_end_in_records_that_are_not_given() -> None:
    """Of an aborted transaction, a marker, or a compacted topic."""
    assert read(Consumer(([5], 6), ([], 6), ([], 9)), 5, 9) == [5]
    assert read(Consumer(([], 9), ([9], 10)), 5, 10) == [9]


def test_nothing_is_fetched_for_an_empty_range() -> None:
    consumer = Consumer(KafkaConnectionError())
    assert read(consumer, 5, 5) == []
    assert not consumer.fetched


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([OffsetOutOfRangeError({PARTITION: 6})], "deleted before they were read"),
        ([KafkaConnectionError()], "do not answer as needed"),
        ([], "gave no records for 0.01 s"),
    ],
)
def test_what_ends_it_is_told(answers: list[Answer], said: str) -> None:
    with pytest.raises(DependencyError, match=said):
        read(Consumer(([5], 6), *answers), 5, 9)
