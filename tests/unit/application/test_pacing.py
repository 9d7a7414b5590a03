"""What is behind is written seldom, and what is not at each interval."""

import pytest

from servicelevel.application.pacing import BACKLOG_RECORDS, LONGEST_S, held_for_s

MANY = BACKLOG_RECORDS + 1


@pytest.mark.parametrize(
    ("lag", "behind_ms", "expected_s"),
    [
        (0, 3_600_000, 0.2),  # all is read: old events, as they come
        (BACKLOG_RECORDS, 3_600_000, 0.2),
        (MANY, None, 0.2),
        (MANY, -5_000, 0.2),  # of a clock that is ahead of ours
        (MANY, 500, 0.2),  # many events, a moment ago
        (MANY, 10_000, 1.0),
        (MANY, 40_000, 4.0),
        (MANY, 3_600_000, LONGEST_S),
    ],
)
def test_counts_are_held_longer_the_more_they_are_behind(
    lag: int, behind_ms: int | None, expected_s: float
) -> None:
    assert held_for_s(0.2, lag, behind_ms) == pytest.approx(expected_s)


def test_an_interval_that_is_longer_is_kept() -> None:
    assert held_for_s(30.0, MANY, 3_600_000) == 30.0
