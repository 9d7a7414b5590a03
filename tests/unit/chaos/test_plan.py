"""The plan of a chaos run is the seed's alone, and leaves no kind of fault out."""

from itertools import islice

import pytest

from tests.chaos.plan import FEWEST_WORKERS, MOST_WORKERS, SESSION_S, WORKERS, Kind, steps
from tests.chaos.traffic import PARTITIONS, Traffic

DECK = len(Kind)


def test_the_same_seed_gives_the_same_steps() -> None:
    assert list(islice(steps(4), 50)) == list(islice(steps(4), 50))
    assert list(islice(steps(4), 50)) != list(islice(steps(5), 50))


@pytest.mark.parametrize("seed", range(20))
def test_each_deck_has_every_kind_but_adding_and_removing_which_need_room(seed: int) -> None:
    found = list(islice(steps(seed), 5 * DECK))
    moves = {Kind.ADD, Kind.REMOVE}
    for begin in range(0, len(found), DECK):
        deck = [step.kind for step in found[begin : begin + DECK]]
        assert set(deck) | moves == set(Kind)
        assert len(set(deck) - moves) == DECK - 2
    assert set(Kind) == {step.kind for step in found[: 2 * DECK]}


@pytest.mark.parametrize("seed", range(20))
def test_there_are_always_workers_enough_and_never_too_many(seed: int) -> None:
    workers = WORKERS
    for step in islice(steps(seed), 200):
        workers += (step.kind is Kind.ADD) - (step.kind is Kind.REMOVE)
        assert FEWEST_WORKERS <= workers <= MOST_WORKERS


def test_who_is_stalled_loses_the_session() -> None:
    stalls = [s for s in islice(steps(1), 200) if s.kind in (Kind.STALL, Kind.STALL_AND_KILL)]
    assert stalls
    assert all(step.lasts_s > SESSION_S + 1 for step in stalls)


def test_traffic_is_the_seeds_alone_and_reaches_every_partition() -> None:
    first = list(islice(Traffic(1, 600).records(), 5_000))
    assert first == list(islice(Traffic(1, 600).records(), 5_000))
    assert first != list(islice(Traffic(2, 600).records(), 5_000))
    assert {partition for partition, _ in first} == set(range(PARTITIONS))
