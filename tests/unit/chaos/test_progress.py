"""How far the evaluators are, told from their changelog."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition

from tests.chaos.progress import Progress


class Record(NamedTuple):
    key: bytes
    value: bytes | None


class EndError(Exception):
    """There is nothing more to read."""


class Changelog:
    """Hands out the entries of one partition, then it raises EndError."""

    def __init__(self, *values: object) -> None:
        self._left = [Record(b"0/p#owner", json.dumps(value).encode()) for value in values]

    async def getmany(self, **_: Any) -> Mapping[TopicPartition, Sequence[Record]]:
        if not self._left:
            raise EndError
        records, self._left = self._left, []
        return {TopicPartition("changelog", 0): records}


async def progress_of(*values: object) -> Progress:
    progress = Progress("", "changelog", 1, Changelog(*values))
    with pytest.raises(EndError):
        await progress.follow()
    return progress


async def test_an_owner_that_stored_no_progress_yet_has_none() -> None:
    progress = await progress_of([-1, None, 1])
    assert not progress.has("requests/0", 1)
    assert progress.complete_to_ms() == 0


async def test_progress_is_that_of_the_highest_offset() -> None:
    state = {"watermark_ms": 7, "sources": {"requests/0": [1, "me", 40, None, 0, []]}}
    older = {"watermark_ms": 3, "sources": {}}
    progress = await progress_of([5, state, 1], [4, older, 1], [6, None, 2])
    assert progress.has("requests/0", 40)
    assert not progress.has("requests/0", 41)
    assert progress.complete_to_ms() == 7
