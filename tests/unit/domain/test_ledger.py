"""Worked examples of the ledger and its watermark."""

import pytest

from servicelevel.domain.counts import Claim, Range, Tally
from servicelevel.domain.ledger import Ledger, SourceState

TWO = {"requests": 2}


def claimed(*sources: str) -> Ledger:
    ledger = Ledger()
    for source in sources:
        assert ledger.claim(Claim(source, 1, "a", 0, TWO))
    return ledger


def test_a_claim_with_the_epoch_in_force_is_ignored() -> None:
    ledger = claimed("requests/0")

    assert not ledger.claim(Claim("requests/0", 1, "b", 0, TWO))
    assert ledger.sources["requests/0"].owner == "a"


def test_a_claim_does_not_move_what_is_applied() -> None:
    ledger = claimed("requests/0")
    ledger.apply(Range("requests/0", 1, 0, 7, 5))

    assert ledger.claim(Claim("requests/0", 2, "b", 0, TWO))

    assert ledger.sources["requests/0"].applied == 7


def test_a_range_of_a_former_owner_is_ignored_whole() -> None:
    ledger = claimed("requests/0")
    ledger.claim(Claim("requests/0", 2, "b", 0, TWO))

    assert not ledger.apply(Range("requests/0", 1, 0, 7, 99, tally=Tally(7, 7, 0, 0)))

    state = ledger.sources["requests/0"]
    assert (state.applied, state.max_time_ms, state.tally.read) == (0, None, 0)


def test_a_range_that_leaves_a_gap_or_overlaps_is_ignored() -> None:
    ledger = claimed("requests/0")
    ledger.apply(Range("requests/0", 1, 0, 7, None))

    assert not ledger.apply(Range("requests/0", 1, 8, 9, None))
    assert not ledger.apply(Range("requests/0", 1, 6, 9, None))
    assert not ledger.apply(Range("requests/0", 1, 7, 6, None))
    assert ledger.apply(Range("requests/0", 1, 7, 9, None))


def test_tallies_add_up() -> None:
    ledger = claimed("requests/0")
    ledger.apply(Range("requests/0", 1, 0, 4, None, tally=Tally(4, 2, 1, 1)))
    ledger.apply(Range("requests/0", 1, 4, 6, None, tally=Tally(2, 2, 0, 0)))
    ledger.apply(Range("requests/0", 1, 6, 9, None, tally=Tally(3, 1, 0, 0, 2)))

    assert ledger.sources["requests/0"].tally == Tally(9, 5, 1, 1, 2)


@pytest.mark.parametrize(
    ("tally", "stored"),
    [(Tally(6, 4, 1, 1), [6, 4, 1, 1]), (Tally(9, 5, 1, 1, 2), [9, 5, 1, 1, 2])],
)
def test_repeated_events_are_stored_only_where_there_are_any(
    tally: Tally, stored: list[int]
) -> None:
    state = SourceState(1, "me", 9, tally=tally)
    assert state.dump()[-1] == stored
    assert SourceState.load(state.dump()) == state


def test_the_watermark_is_the_lowest_of_all_partitions_less_the_lateness() -> None:
    ledger = claimed("requests/0", "requests/1")
    ledger.apply(Range("requests/0", 1, 0, 1, 50_000))
    ledger.apply(Range("requests/1", 1, 0, 1, 40_000))

    assert ledger.watermark_ms(10_000) == 29_999


def test_the_watermark_waits_for_partitions_that_were_never_claimed() -> None:
    ledger = claimed("requests/0")
    ledger.apply(Range("requests/0", 1, 0, 1, 50_000))

    assert ledger.watermark_ms(0) is None


def test_an_idle_partition_does_not_hold_the_watermark_back() -> None:
    ledger = claimed("requests/0", "requests/1")
    ledger.apply(Range("requests/0", 1, 0, 1, 50_000))
    ledger.apply(Range("requests/1", 1, 0, 0, None, idle=True))

    assert ledger.watermark_ms(0) == 49_999


def test_where_all_are_idle_the_newest_counts() -> None:
    ledger = claimed("requests/0", "requests/1")
    ledger.apply(Range("requests/0", 1, 0, 1, 50_000, idle=True))
    ledger.apply(Range("requests/1", 1, 0, 0, 60_000, idle=True))

    assert ledger.watermark_ms(0) == 59_999


def test_a_source_never_goes_back_in_time() -> None:
    ledger = claimed("requests/0")
    ledger.apply(Range("requests/0", 1, 0, 1, 50_000))
    ledger.apply(Range("requests/0", 1, 1, 2, 40_000))

    assert ledger.sources["requests/0"].max_time_ms == 50_000


def test_a_topic_that_is_read_no_more_does_not_hold_the_watermark_back() -> None:
    ledger = Ledger()
    both = {"requests": 1, "former": 1}
    for source in ("requests/0", "former/0"):
        ledger.claim(Claim(source, 1, "a", 0, both))
        ledger.apply(Range(source, 1, 0, 1, 50_000))

    ledger.claim(Claim("requests/0", 2, "b", 0, {"requests": 1}))
    ledger.apply(Range("requests/0", 2, 1, 2, 90_000))

    assert ledger.watermark_ms(0) == 89_999
