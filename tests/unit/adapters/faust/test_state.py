"""Incarnations of a partition's state: whoever wrote, the highest counts offset counts."""

import pytest

from servicelevel.adapters.faust.entries import PartitionedEntries
from servicelevel.adapters.faust.state import FaustState, Record
from servicelevel.application.evaluate.records import PROGRESS_KEY
from servicelevel.application.ports import StoredEntry
from servicelevel.errors import StateError


class Log:
    """A compacted changelog of partition 0, as any number of owners write it."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def load(self) -> PartitionedEntries:
        """What a new owner recovers."""
        entries = PartitionedEntries()
        for key, value in self.records:
            if value is None:
                entries.pop(key, None)
            else:
                entries[key] = value
        return entries

    def owner(self, incarnation: str, horizon: int = 100) -> FaustState:
        """A new owner, with all that was written so far."""
        entries = self.load().partition(0)
        return FaustState(0, entries, incarnation, marker_horizon=horizon)

    def put(self, state: FaustState, key: str, offset: int, value: object) -> None:
        """One message that changes one key."""
        state.begin(offset)
        state.put(key, offset, value)
        self.records += state.end()

    def count(self, state: FaustState, offset: int, *keys: str) -> None:
        """One message that is counted in some keys; what a key has is the offsets counted."""
        state.begin(offset)
        for key in keys:
            known = state.get(key)
            state.put(key, offset, [*(known.value if known else []), offset])
        state.put(PROGRESS_KEY, offset, None)
        self.records += state.end()

    def delete(self, state: FaustState, key: str, offset: int) -> None:
        """One message that deletes one key."""
        state.begin(offset)
        state.delete(key)
        self.records += state.end()


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_new_owner_sees_what_the_former_wrote(log: Log) -> None:
    log.put(log.owner("a"), "x/y#z", 3, {"n": [1, None]})
    assert list(log.owner("b").scan()) == [("x/y#z", StoredEntry(3, {"n": [1, None]}))]


def test_what_a_stalled_owner_writes_after_the_new_one_does_not_count(log: Log) -> None:
    stalled = log.owner("a")
    log.put(stalled, "k", 1, "one")
    new = log.owner("b")
    log.put(new, "k", 5, "five")
    log.put(stalled, "k", 4, "four")
    assert log.owner("c").get("k") == StoredEntry(5, "five")


def test_a_stalled_owner_that_was_further_counts(log: Log) -> None:
    stalled = log.owner("a")
    log.put(log.owner("b"), "k", 5, "five")
    log.put(stalled, "k", 6, "six")
    assert log.owner("c").get("k") == StoredEntry(6, "six")


def test_progress_never_speaks_of_what_a_new_owner_has_tidied_away(log: Log) -> None:
    stalled = log.owner("a")
    log.count(stalled, 1, "k")
    new = log.owner("b")
    log.count(stalled, 2, "k")
    log.count(stalled, 3, "k")
    log.count(new, 2, "k")  # tidies what the stalled owner knows of 3
    log.count(stalled, 4, "other")

    third = log.owner("c")

    progress = third.get(PROGRESS_KEY)
    assert progress is not None
    for offset in range(progress.offset + 1, 5):  # what is read again
        log.count(third, offset, "k" if offset < 4 else "other")
    found = log.owner("d").get("k")
    assert found is not None
    assert found.value == [1, 2, 3]


def test_an_owner_that_rewrites_a_key_tidies_the_former_ones_after_its_own_write(log: Log) -> None:
    first = log.owner("a")
    log.put(first, "k", 1, "one")
    log.put(first, "untouched", 1, "one")
    second = log.owner("b")
    log.put(second, "k", 2, "two")
    assert log.records[-2:] == [(b"0/k#b", b'[2,"two"]'), (b"0/k#a", None)]
    assert dict(log.load()) == {b"0/k#b": b'[2,"two"]', b"0/untouched#a": b'[1,"one"]'}


def test_the_new_owner_tidies_once(log: Log) -> None:
    log.put(log.owner("a"), "k", 1, "one")
    second = log.owner("b")
    log.put(second, "k", 2, "two")
    before = len(log.records)
    log.put(second, "k", 3, "three")
    assert log.records[before:] == [(b"0/k#b", b'[3,"three"]')]


def test_a_delete_is_final_for_all_incarnations(log: Log) -> None:
    stalled = log.owner("a")
    log.put(stalled, "k", 1, "one")
    second = log.owner("b")
    log.put(second, "k", 2, "two")
    third = log.owner("c")
    log.delete(third, "k", 7)
    log.put(stalled, "k", 6, "six")
    assert third.get("k") is None
    assert log.owner("d").get("k") is None
    assert list(log.owner("d").scan()) == []


def test_a_delete_cut_short_does_not_bring_an_older_value_back(log: Log) -> None:
    log.put(log.owner("a"), "k", 1, "one")
    second = log.owner("b")
    log.records.append((b"0/k#z", b'[3,"three"]'))  # a third one, unseen by `second`
    second = log.owner("b")
    second.begin(9)
    second.delete("k")
    whole = second.end()
    for length in range(1, len(whole) + 1):
        cut = Log()
        cut.records = log.records + whole[:length]
        assert cut.owner("c").get("k") is None


def test_what_a_new_owner_deletes_before_its_first_message_stays_deleted(log: Log) -> None:
    log.put(log.owner("a"), "k", 7, "seven")
    second = log.owner("b")
    second.delete("k")
    marker = second.end()[:1]  # a crash leaves out what follows
    log.records += marker
    assert log.owner("c").get("k") is None


def test_a_key_may_come_back_after_its_delete(log: Log) -> None:
    first = log.owner("a")
    log.put(first, "k", 1, "one")
    log.delete(first, "k", 2)
    second = log.owner("b")
    log.put(second, "k", 3, "three")
    assert log.owner("c").get("k") == StoredEntry(3, "three")
    log.put(log.owner("c"), "k", 500, "again")
    assert dict(log.load()) == {b"0/k#c": b'[500,"again"]'}


def test_delete_and_put_in_one_message_leave_the_put(log: Log) -> None:
    state = log.owner("a", horizon=10)
    log.put(state, "k", 1, "one")
    state.begin(2)
    state.delete("k")
    state.put("k", 2, "two")
    log.records += state.end()
    log.put(state, "other", 50, None)
    assert log.owner("b").get("k") == StoredEntry(2, "two")


def test_markers_are_tidied_when_the_log_is_far_beyond_them(log: Log) -> None:
    state = log.owner("a", horizon=10)
    log.put(state, "k", 1, "one")
    log.delete(state, "k", 2)
    log.put(state, "other", 11, None)
    assert b"0/k#a" in log.load()
    log.put(state, "other", 12, None)
    assert set(log.load()) == {b"0/other#a"}


def test_markers_of_former_owners_are_tidied_too(log: Log) -> None:
    first = log.owner("a")
    log.put(first, "k", 1, "one")
    log.delete(first, "k", 2)
    log.put(log.owner("b", horizon=10), "other", 30, None)
    assert set(log.load()) == {b"0/other#b"}


def test_what_lies_under_a_former_marker_goes_before_it(log: Log) -> None:
    log.records = [(b"0/k#z", b"[1,1]"), (b"0/k#y", b"[2]")]
    second = log.owner("b", horizon=10)
    log.put(second, "other", 3, None)
    assert set(log.load()) == {b"0/k#y", b"0/other#b"}


def test_deleting_what_is_not_there_writes_nothing(log: Log) -> None:
    log.delete(log.owner("a"), "k", 1)
    assert log.records == []


def test_changes_of_a_message_are_in_order_of_the_last_write(log: Log) -> None:
    state = log.owner("a")
    state.begin(1)
    for key in ("progress", "x", "x", "progress"):
        state.put(key, 1, 0)
    assert [key for key, _ in state.end()] == [b"0/x#a", b"0/progress#a"]
    assert state.end() == []


def test_a_value_changed_by_the_caller_afterwards_does_not_change_here(log: Log) -> None:
    state = log.owner("a")
    value = [1]
    state.put("k", 1, value)
    value.append(2)
    assert state.get("k") == StoredEntry(1, [1])


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"nonsense"])
def test_damaged_entries_are_named(raw: bytes) -> None:
    with pytest.raises(StateError, match=r"0/k#a"):
        FaustState(0, {b"0/k#a": raw}, "b")


@pytest.mark.parametrize("key", [b"", b"k", b"0/k", b"k#a", b"0/\xff#a"])
def test_keys_of_others_are_named(key: bytes) -> None:
    with pytest.raises(StateError, match=r"something else writes.*start anew"):
        FaustState(0, {key: b"[1,1]"}, "b")


@pytest.mark.parametrize("raw", [b"[1,{", b'[1,"a', b"[1,null,{}]", b'[1,null,"x"]'])
def test_progress_that_was_cut_or_is_damaged_is_named(raw: bytes) -> None:
    with pytest.raises(StateError, match=r"0/p#a.*Nothing was changed"):
        FaustState(0, {b"0/p#a": raw}, "b")


def test_a_value_that_was_cut_is_named_when_it_is_read() -> None:
    state = FaustState(0, {b"0/k#a": b'[1,{"a":'}, "b")
    with pytest.raises(StateError, match=r"0/k#a"):
        state.get("k")
    assert state.end() == []


def test_partitions_are_apart() -> None:
    entries = PartitionedEntries()
    for partition in (0, 10):
        FaustState(partition, entries.partition(partition), "a").put("k", 1, partition)
    assert dict(entries) == {b"0/k#a": b"[1,0]", b"10/k#a": b"[1,10]"}
    entries.drop(0)
    assert list(entries) == [b"10/k#a"]
    assert len(entries) == 1
    assert entries[b"10/k#a"] == b"[1,10]"
    with pytest.raises(KeyError):
        entries[b"0/k#a"]
    del entries[b"10/k#a"]
    assert not entries
