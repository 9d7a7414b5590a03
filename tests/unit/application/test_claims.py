from dataclasses import replace

import pytest

from servicelevel.application.claims import (
    Cut,
    Epoch,
    choose_epoch,
    claim_start,
    gap_letter,
    is_held,
    is_torn,
    resume,
    torn_error,
)
from servicelevel.domain.counts import Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.errors import GapError


def state(
    applied: int, *, epoch: int = 3, owner: str = "a", time: int | None = None
) -> SourceState:
    return SourceState(epoch, owner, applied, time)


@pytest.mark.parametrize(
    ("generation", "logged", "expected"),
    [
        (1, [None, None], Epoch(1, False)),
        (0, [None, None], Epoch(0, False)),
        (-1, [None, None], Epoch(0, True)),  # the generation is not known
        (5, [4, 3], Epoch(5, False)),
        (4, [4, 3], Epoch(5, True)),
        (2, [None, 7], Epoch(8, True)),  # the group was reset
    ],
)
def test_the_epoch_is_above_all_that_were_logged(
    generation: int, logged: list[int | None], expected: Epoch
) -> None:
    states = {n: None if e is None else state(0, epoch=e) for n, e in enumerate(logged)}
    assert choose_epoch(generation, states) == expected


def test_a_source_starts_at_its_first_record_or_where_an_earlier_claim_said() -> None:
    assert claim_start({0: None, 1: None}, 17) == 17
    assert claim_start({0: None, 1: state(5)}, 17) == 5


def test_a_claim_is_held_where_it_is_in_force_everywhere() -> None:
    assert is_held({0: state(0), 1: state(9)}, 3, "a")
    assert not is_held({0: state(0), 1: None}, 3, "a")
    assert not is_held({0: state(0), 1: state(0, owner="b")}, 3, "a")
    assert not is_held({0: state(0), 1: state(0, epoch=4)}, 3, "a")


@pytest.mark.parametrize(
    ("found", "torn"),
    [
        ([None, None], False),
        ([state(0), None], False),  # a claim that reached one partition only
        ([replace(state(5), tally=Tally(5, 5)), None], True),
        ([replace(state(5), tally=Tally(5, 5)), state(0)], False),
    ],
)
def test_counts_of_a_source_that_one_partition_does_not_know_are_torn(
    found: list[SourceState | None], torn: bool
) -> None:
    states = dict(enumerate(found))
    assert is_torn(states) == torn
    if torn:
        assert "counts partition 1 knows nothing" in str(torn_error("t/0", states))


def test_resumes_at_the_lowest_and_cuts_at_the_others() -> None:
    states = {
        0: state(50, time=900),
        1: state(20, time=400),
        2: state(20, time=450),  # it was told of an idle mark, too
        3: state(35),
        4: state(50, time=950),
    }
    found = resume("t/0", states, beginning=20)
    assert found.start == 20
    assert found.max_time_ms == 450
    assert found.cuts == (Cut(35, None), Cut(50, 950))
    assert found.applied == {0: 50, 1: 20, 2: 20, 3: 35, 4: 50}
    assert found.told == 50


def test_deleted_records_are_a_gap_that_says_what_to_do() -> None:
    with pytest.raises(
        GapError, match=r"t/0.*20.*is 21.*1 offsets.*retention\.ms.*ON_GAP=continue"
    ):
        resume("t/0", {0: state(20), 1: state(40)}, beginning=21)


def test_deleted_records_may_be_gone_without_and_are_told() -> None:
    found = resume("t/0", {0: state(20, time=5_000), 1: state(40)}, 31, skip_gap=True)
    assert (found.start, found.gap_end, found.read_from) == (20, 31, 31)
    letter = gap_letter("t", 0, found)
    assert (letter.offset, letter.last_offset, letter.reason) == (20, 30, "gap")
    assert letter.detail == (
        "the topic's retention deleted offsets 20 to 30 before they were counted"
    )
    assert (letter.value, letter.key, letter.timestamp_ms) == (None, None, 5_000)


def test_without_deleted_records_nothing_is_skipped() -> None:
    found = resume("t/0", {0: state(20), 1: state(40)}, beginning=20, skip_gap=True)
    assert (found.gap_end, found.read_from) == (None, 20)
