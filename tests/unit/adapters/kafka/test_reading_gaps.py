"""What is done about records that were deleted before they were read."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from servicelevel.adapters.kafka.flushing import Held
from servicelevel.adapters.kafka.reading import SourceReader
from servicelevel.application.vitals import CombinerVitals
from servicelevel.errors import GapError, StreamError

TP = TopicPartition("requests", 2)


@dataclass
class Consumer:
    """Has offsets 150 to 400 of one partition, and is asked for `position`."""

    position: int
    asked: int = 0
    sought: list[int] = field(default_factory=list)

    async def getmany(self, **_: Any) -> Any:
        self.asked += 1
        if self.asked > 3:
            raise asyncio.CancelledError
        raise OffsetOutOfRangeError({TP: self.position})

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    async def beginning_offsets(self, _: Any) -> dict[TopicPartition, int]:
        return {TP: 150}

    async def end_offsets(self, _: Any) -> dict[TopicPartition, int]:
        return {TP: 400}


@dataclass
class Flusher:
    """Holds the partition until it is given up; notes what happens in order."""

    first: int = 0
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        counter: Any = SimpleNamespace(source="requests/2", first=self.first)
        self.held = {TP: Held(TP, counter)}

    async def flush(self, *, heartbeat: bool) -> None:
        self.happened.append("flush all" if heartbeat else "flush")

    def lose(self, held: Held) -> None:
        self.happened.append("lose")
        del self.held[held.partition]


async def read(position: int, *, skip_gaps: bool, first: int = 0) -> list[object]:
    flusher: Any = Flusher(first)
    consumer: Any = Consumer(position)
    reader = SourceReader(consumer, flusher, lambda: 0, CombinerVitals(), skip_gaps=skip_gaps)
    with pytest.raises(asyncio.CancelledError):
        await reader.run()
    return [*flusher.happened, *consumer.sought]


async def test_deleted_records_are_a_gap() -> None:
    with pytest.raises(GapError, match=r"requests/2.*100.*is 150.*50 offsets.*ON_GAP=continue"):
        await read(100, skip_gaps=False)


async def test_where_gaps_are_skipped_what_was_counted_is_written_first() -> None:
    assert await read(100, skip_gaps=True) == ["flush all", "lose"]


@pytest.mark.parametrize("skip_gaps", [False, True])
async def test_a_partition_that_ends_before_what_was_counted_is_an_error(skip_gaps: bool) -> None:
    with pytest.raises(StreamError, match=r"requests/2.*401.*ends at 400.*made anew.*start anew"):
        await read(401, skip_gaps=skip_gaps)


@pytest.mark.parametrize("position", [150, 400])
async def test_an_offset_that_is_there_after_all_is_asked_for_again(position: int) -> None:
    assert await read(position, skip_gaps=False) == []


@pytest.mark.parametrize("skip_gaps", [False, True])
@pytest.mark.parametrize("first", [150, 300])
async def test_deleted_records_of_which_only_the_ids_were_wanted_are_no_gap(
    skip_gaps: bool, first: int
) -> None:
    assert await read(100, skip_gaps=skip_gaps, first=first) == [150] * 3


async def test_deleted_records_are_a_gap_also_where_ids_before_them_were_wanted() -> None:
    with pytest.raises(GapError, match=r"requests/2.*counted up to offset 140.*is 150"):
        await read(100, skip_gaps=False, first=140)
