"""When a worker is started again."""

from servicelevel.application.supervision import RESTART_EXIT_CODE, RestartPolicy, WorkerHistory

POLICY = RestartPolicy(
    first_delay_seconds=1, max_delay_seconds=5, max_failures=5, max_unreachable=9, steady_seconds=60
)


def delays(*ends: tuple[int, float]) -> list[float | None]:
    history = WorkerHistory(POLICY)
    return [history.delay_seconds(code, ran_seconds) for code, ran_seconds in ends]


def test_delays_double_up_to_the_longest() -> None:
    assert delays(*[(RESTART_EXIT_CODE, 1)] * 4) == [1, 2, 4, 5]


def test_a_worker_that_fails_again_and_again_is_given_up() -> None:
    assert delays(*[(1, 1)] * 5)[-1] is None


def test_however_long_each_of_its_runs_takes_to_fail() -> None:
    assert delays(*[(1, 59)] * 5)[-1] is None


def test_a_steady_run_begins_a_new_row() -> None:
    assert delays(*[(1, 1)] * 4, (1, 60), (1, 1)) == [1, 2, 4, 5, 1, 2]


def test_a_broker_that_is_away_is_waited_for_longer() -> None:
    assert delays(*[(3, 1)] * 9) == [1, 2, 4, 5, 5, 5, 5, 5, None]


def test_wrong_use_and_a_clean_end_are_final() -> None:
    assert delays((2, 0)) == [None]
    assert delays((0, 0)) == [None]
