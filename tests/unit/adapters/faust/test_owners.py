"""Owners of one table that start, stall, write late and crash in any order: nothing is lost.

Each owner counts the same messages into the table that it loaded, and its records come to the
changelog when they like, in its order. Whoever loads the table then, compacted or not, and goes on
where the progress in it says, has in the end what one undisturbed owner has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.adapters.faust.entries import PartitionedEntries
from servicelevel.adapters.faust.state import FaustState, Record
from servicelevel.application.evaluate.records import PROGRESS_KEY
from servicelevel.application.ports import StoredEntry

MESSAGES: tuple[tuple[str, ...], ...] = (
    ("a", "b", "c"), ("a",), ("b", "a"), ("a", "-c"),
    ("a", "b"), ("-b", "c"), ("a", "c"), ("b", "a"),
)  # fmt: skip
"""By offset: keys that a message is counted in, or that it deletes."""

Steps = Sequence[tuple[int, int, int]]
"""Which owner, how many messages it handles, and how many of its records are written then."""


def count(state: FaustState, offset: int) -> list[Record]:
    """Handle a message; a key has the offsets counted in it since it came into being."""
    state.begin(offset)
    for what in MESSAGES[offset]:
        if what.startswith("-"):
            state.delete(what[1:])
            continue
        known = state.get(what)
        if known is None or known.offset < offset:
            state.put(what, offset, [*(known.value if known else []), offset])
    state.put(PROGRESS_KEY, offset, None)
    return state.end()


def next_offset(state: FaustState) -> int:
    """Where the table says to go on."""
    progress = state.get(PROGRESS_KEY)
    return 0 if progress is None else progress.offset + 1


def whole(state: FaustState) -> dict[str, StoredEntry]:
    """The state when all messages are handled."""
    for offset in range(next_offset(state), len(MESSAGES)):
        count(state, offset)
    return dict(state.scan())


UNDISTURBED = whole(FaustState(0, {}, "only"))


def load(records: Sequence[Record]) -> dict[bytes, bytes]:
    """The raw entries of a partition, as its log leaves them."""
    entries = PartitionedEntries()
    for key, value in records:
        if value is None:
            entries.pop(key, None)
        else:
            entries[key] = value
    return entries.partition(0)


@dataclass
class Owner:
    """An incarnation, and what it has handled but not written yet."""

    state: FaustState
    loaded: int
    offset: int = -1
    unwritten: list[Record] = field(default_factory=list)


@dataclass
class Table:
    """A changelog, and who believes to own it; nobody hears of the others."""

    log: list[Record] = field(default_factory=list)
    owners: dict[int, Owner] = field(default_factory=dict)
    names: int = 0

    def run(self, *each: tuple[int, int, int]) -> None:
        """Some steps."""
        for step in each:
            self.step(*step)

    def step(self, who: int, messages: int, records: int) -> None:
        """An owner loads when it is first named, then claims, then handles and writes each time.

        If others wrote between its load and its claim, it ends; its successor has its number.
        """
        if who not in self.owners:
            self.names += 1
            state = FaustState(0, load(self.log), f"{self.names}")
            self.owners[who] = Owner(state, len(self.log))
            return
        owner = self.owners[who]
        if owner.offset < 0:
            owner.offset = next_offset(owner.state)
            self.log.append(owner.state.claim())
            if owner.loaded != len(self.log) - 1:
                del self.owners[who]
            return
        for _ in range(min(messages, len(MESSAGES) - owner.offset)):
            owner.unwritten += count(owner.state, owner.offset)
            owner.offset += 1
        self.log += owner.unwritten[:records]  # a write may be cut anywhere
        del owner.unwritten[:records]


def steps(owners: int) -> st.SearchStrategy[Steps]:
    """Any interleaving of so many owners."""
    whos = st.integers(0, owners - 1)
    return st.lists(st.tuples(whos, st.integers(0, 4), st.integers(0, 9)), max_size=16)


@settings(max_examples=400)
@given(st.one_of(steps(2), steps(3), steps(4)))
def test_whoever_comes_next_has_all_in_the_end(each: Steps) -> None:
    table = Table()
    for step in each:
        table.step(*step)
        assert whole(FaustState(0, load(table.log), "next")) == UNDISTURBED


@settings(max_examples=200)
@given(st.one_of(steps(2), steps(3), steps(4)), st.data())
def test_any_compaction_leaves_the_same_state(each: Steps, data: st.DataObject) -> None:
    """The last record of each key is kept, and any of the older ones are gone."""
    table = Table()
    table.run(*each)
    newest = {key: at for at, (key, _) in enumerate(table.log)}
    kept = [
        record
        for at, record in enumerate(table.log)
        if at == newest[record[0]] or data.draw(st.booleans())
    ]
    first = dict(reversed(kept))
    # a tombstone goes, too, when nothing is left that it speaks of
    alone = [
        r for r in kept if r[1] is not None or first[r[0]] is not None or data.draw(st.booleans())
    ]

    found = FaustState(0, load(alone), "next")

    assert dict(found.scan()) == dict(FaustState(0, load(table.log), "next").scan())
    assert whole(found) == UNDISTURBED


def test_who_loaded_before_another_wrote_cannot_claim() -> None:
    """Its term would be that of whoever loads now, and it would remove what that relies on."""
    table = Table()
    table.run((0, 0, 0), (0, 0, 0), (0, 1, 1))
    table.run((1, 0, 0))  # loads, and stalls
    table.run((0, 1, 5))
    table.run((1, 0, 0))  # claims
    assert 1 not in table.owners


def test_what_a_stalled_owner_may_remove_is_not_relied_on() -> None:
    former, stalled, new = 0, 1, 2
    table = Table()
    table.run((former, 0, 0), (former, 0, 0), (former, 1, 2))
    table.run((stalled, 0, 0), (stalled, 0, 0))  # knows two entries of the former owner
    table.run((former, 2, 6))  # writes on in these
    table.run((new, 0, 0), (new, 0, 0), (new, 3, 99))  # and the new owner finds the later ones
    table.run((stalled, 2, 99))  # removes them, for what it has come to itself

    state = FaustState(0, load(table.log), "next")

    assert next_offset(state) == 3
    assert whole(state) == UNDISTURBED
