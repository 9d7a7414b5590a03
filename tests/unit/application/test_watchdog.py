"""Work that stands still although something waits is noticed, and nothing else is."""

from servicelevel.application.vitals import (
    CombinerVitals,
    EvaluatorVitals,
    SourceVitals,
    Vitals,
    Work,
)
from servicelevel.application.watchdog import Stall, Watchdog

LIMIT = 60.0


def looked(*looks: tuple[float, int, int]) -> list[Stall]:
    """What the last of these looks (seconds, done, waiting) finds."""
    watchdog, found = Watchdog(LIMIT), list[Stall]()
    for seconds, done, waiting in looks:
        found = watchdog.stalls([Work("w", done, waiting)], seconds)
    return found


def test_work_that_stands_still_is_noticed_after_the_limit() -> None:
    assert looked((0, 5, 1), (60, 5, 1)) == []
    assert looked((0, 5, 1), (30, 5, 9), (61, 5, 7)) == [Stall("w", 7, 61)]


def test_work_that_goes_on_however_slowly_is_not() -> None:
    assert looked((0, 5, 1), (59, 6, 1), (118, 6, 1)) == []


def test_nor_is_work_for_which_nothing_waits() -> None:
    assert looked((0, 5, 0), (600, 5, 0)) == []
    assert looked((0, 5, 1), (50, 5, 0), (100, 5, 1), (150, 5, 1)) == []


def test_a_source_that_is_given_back_and_comes_again_begins_anew() -> None:
    watchdog = Watchdog(LIMIT)
    assert watchdog.stalls([Work("reading a/0", 7, 3)], 0) == []
    assert watchdog.stalls([], 30) == []
    assert watchdog.stalls([Work("reading a/0", 7, 3)], 70) == []


def test_a_combiner_that_reads_one_source_and_not_the_other_stands_still() -> None:
    vitals = CombinerVitals(assigned=True)
    watchdog = Watchdog(LIMIT)
    for seconds in (0, 40, 80):
        vitals.sources = {"a/0": SourceVitals(seconds, 9), "a/1": SourceVitals(7, 2)}
        found = watchdog.stalls(Vitals(combiner=vitals).works(), seconds)
    assert found == [Stall("reading a/1", 2, 80)]


def test_what_an_evaluator_waits_for_is_known_before_its_first_message() -> None:
    vitals = EvaluatorVitals(assigned=frozenset({0, 1}))
    vitals.ends, vitals.fetched = {0: 12, 1: 5}, {0: 10, 1: 5}
    assert vitals.works() == [
        Work("evaluating counts/0", 10, 2),
        Work("evaluating counts/1", 5, 0),
    ]
    vitals.next_offsets[0] = 4  # the messages fetched are not applied yet
    assert vitals.lag(0) == 8


async def test_an_answer_about_partitions_that_are_not_ours_any_more_is_dropped() -> None:
    vitals = EvaluatorVitals(assigned=frozenset({0}))

    async def probe(partitions: object) -> tuple[dict[int, int], dict[int, int]]:
        assert partitions == frozenset({0})
        vitals.give_back()
        return {0: 9}, {0: 3}

    vitals.probe = probe
    await vitals.look()
    assert vitals.works() == []
    assert not vitals.ends


def test_a_worker_is_ready_when_all_that_it_was_given_is_worked_on() -> None:
    vitals = Vitals(CombinerVitals(), EvaluatorVitals())
    assert vitals.readiness == {"combiner": False, "evaluator": False}
    assert vitals.combiner is not None
    assert vitals.evaluator is not None
    vitals.combiner.assigned, vitals.combiner.unclaimed = True, 1
    vitals.evaluator.assigned = frozenset()
    assert vitals.readiness == {"combiner": False, "evaluator": True}
    vitals.combiner.unclaimed = 0
    assert all(vitals.readiness.values())
    assert Vitals(evaluator=vitals.evaluator).readiness == {"evaluator": True}
