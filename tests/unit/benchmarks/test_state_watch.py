"""The benchmark's view of the evaluator's state is the state: nothing missed or seen twice."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from benchmarks.state_watch import StateWatch, Sums
from servicelevel.adapters.faust.state import FaustState


class Record(NamedTuple):
    key: bytes
    value: bytes | None


class Changelog:
    """Hands out what was written since the last call, as a consumer does."""

    def __init__(self) -> None:
        self._written: list[Record] = []
        self._state = FaustState(0, {}, "first")

    def put(self, key: str, offset: int, *panes: int) -> None:
        self._state.begin(offset)
        self._state.put(key, offset, [list(panes), {}])
        self._take()

    def delete(self, key: str, offset: int) -> None:
        self._state.begin(offset)
        self._state.delete(key)
        self._take()

    def _take(self) -> None:
        self._written += [Record(*record) for record in self._state.end()]

    def write(self, key: bytes, value: bytes | None) -> None:
        self._written.append(Record(key, value))

    async def getmany(self, **_: Any) -> Mapping[TopicPartition, Sequence[Record]]:
        records, self._written = self._written, []
        return {TopicPartition("changelog", 0): records}


async def test_sums_follow_the_last_entry_of_each_span() -> None:
    changelog = Changelog()
    watch = StateWatch(changelog)
    changelog.put("q/900000/a/", 1, 10_000, 3, 4, 20_000, 5, 5)
    changelog.put("q/900000/b/region=eu/1", 1, 10_000, 1, 9)
    await watch.read()
    assert watch.sums == {"a": Sums(8, 9), "b": Sums(1, 9)}
    changelog.put("q/900000/a/", 2, 10_000, 4, 5, 20_000, 5, 5)
    changelog.put("q/1800000/a/", 2, 910_000, 1, 1)
    await watch.read()
    assert watch.sums["a"] == Sums(10, 11)
    assert watch.counted == 20


async def test_a_span_moved_into_its_day_counts_once() -> None:
    changelog = Changelog()
    watch = StateWatch(changelog)
    changelog.put("q/900000/a/", 1, 10_000, 3, 4)
    changelog.put("d/86400000/a/", 2, 900_000, 3, 4)
    changelog.delete("q/900000/a/", 2)
    await watch.read()
    assert watch.sums == {"a": Sums(3, 4)}


async def test_an_entry_that_a_former_owner_left_is_removed_without_the_new_ones() -> None:
    changelog = Changelog()
    watch = StateWatch(changelog)
    changelog.write(b"0/q/900000/a/#first", b"[1,[[10000,3,4],{}]]")
    changelog.write(b"0/q/900000/a/#second", b"[2,[[10000,4,5],{}]]")
    changelog.write(b"0/q/900000/a/#first", None)
    await watch.read()
    assert watch.sums == {"a": Sums(4, 5)}


async def test_what_is_no_sum_is_passed_over() -> None:
    changelog = Changelog()
    watch = StateWatch(changelog)
    changelog.put("p", 1)
    changelog.put("f/a/", 1, 10_000)
    await watch.read()
    assert watch.sums == {}
