"""When a worker is started again."""

from servicelevel.application.supervision import RESTART_EXIT_CODE, RestartPolicy, WorkerHistory

POLICY = RestartPolicy(
    first_delay_seconds=1, max_delay_seconds=5, max_failures=5, window_seconds=60
)


def test_delays_double_up_to_the_longest() -> None:
    history = WorkerHistory(POLICY)

    assert [history.delay_seconds(RESTART_EXIT_CODE, now) for now in (0, 1, 2, 3)] == [1, 2, 4, 5]


def test_a_worker_that_fails_again_and_again_is_given_up() -> None:
    history = WorkerHistory(POLICY)
    for now in (0, 1, 2, 3):
        history.delay_seconds(1, now)

    assert history.delay_seconds(1, 4) is None


def test_old_failures_are_forgiven() -> None:
    history = WorkerHistory(POLICY)
    for now in (0, 1, 2, 3):
        history.delay_seconds(1, now)

    assert history.delay_seconds(1, 100) == 1


def test_wrong_use_and_a_clean_end_are_final() -> None:
    history = WorkerHistory(POLICY)

    assert history.delay_seconds(2, 0) is None
    assert history.delay_seconds(0, 0) is None
