import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.commits import (
    METADATA_BYTES,
    Commit,
    Mark,
    TailStart,
    decode_metadata,
    encode_metadata,
    tail_starts,
)
from servicelevel.domain.counts import Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.errors import GapError

START_MS = 1_767_225_600_000
numbers = st.integers(min_value=0, max_value=2**53)
states = st.builds(
    SourceState,
    numbers,
    st.just(""),
    numbers,
    st.none() | numbers,
    st.booleans(),
    st.builds(Tally, numbers, numbers, numbers, numbers, st.just(0) | numbers),
)


def commit(position: int, applied: int, *, partitions: int = 2) -> Commit:
    mark = Mark(position, SourceState(1, "", applied))
    return Commit(applied, encode_metadata(dict.fromkeys(range(partitions), mark)))


@given(st.dictionaries(st.integers(0, 7), st.builds(Mark, numbers, states), max_size=8))
def test_metadata_says_again_what_was_put_in(marks: dict[int, Mark]) -> None:
    assert decode_metadata(encode_metadata(marks)) == marks


def many_marks(partitions: int) -> dict[int, Mark]:
    """As after some months: large numbers that differ a little."""
    return {
        n: Mark(
            10**8 + 7_919 * n,
            SourceState(12, "", 10**10 + n % 3, START_MS + n % 5, False, Tally(10**10, 10**10 - n)),
        )
        for n in range(partitions)
    }


@pytest.mark.parametrize("partitions", [4, 32, 64, 128])
def test_metadata_of_many_partitions_fits(partitions: int) -> None:
    marks = many_marks(partitions)
    text = encode_metadata(marks)
    assert 0 < len(text) <= METADATA_BYTES
    assert decode_metadata(text) == marks


def test_metadata_that_no_broker_takes_is_left_out() -> None:
    assert encode_metadata(many_marks(1024)) == ""


@pytest.mark.parametrize(
    "text", ["", "x", "{}", "[2,{}]", '[1,{"0":[]}]', "my own note", "z", "zzz", "z~~~~ ~"]
)
def test_other_metadata_is_as_none(text: str) -> None:
    assert decode_metadata(text) == {}


def test_begins_at_the_lowest_mark() -> None:
    starts = tail_starts(["t/0", "t/1"], {"t/0": commit(30, 5), "t/1": commit(20, 9)}, [10, 20])
    assert [start.position for start in starts] == [20, 20]
    assert starts[0].marks["t/0"].state.applied == 5
    assert not starts[0].truncated


def test_begins_at_the_first_message_where_a_source_has_no_mark() -> None:
    commits = {"t/0": commit(30, 5), "t/1": Commit(9, "")}
    assert [s.position for s in tail_starts(["t/0", "t/1"], commits, [0, 0])] == [0, 0]
    assert tail_starts(["t/0"], {}, [0]) == [TailStart(0)]
    assert tail_starts(["t/0"], {}, [7]) == [TailStart(7, truncated=True)]


@pytest.mark.parametrize("found", [commit(30, 5), Commit(9, "")])
def test_deleted_counts_are_a_gap_that_says_what_to_do(found: Commit) -> None:
    with pytest.raises(
        GapError, match=r"t/0.*counts partition 1.*31.*retention of counts.*start anew"
    ):
        tail_starts(["t/0"], {"t/0": found}, [0, 31])
