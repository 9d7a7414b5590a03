"""Each golden scenario tells what its `alerts.txt` says; `scripts/bless-golden` writes it anew."""

from fractions import Fraction

import pytest

from tests.golden.stories import SCENARIOS, is_chosen, names, tell


@pytest.mark.parametrize("name", names())
def test_scenario_tells_what_it_told(name: str) -> None:
    expected = (SCENARIOS / name / "alerts.txt").read_text("utf-8")
    assert tell(SCENARIOS / name) == expected


@pytest.mark.parametrize(
    "name", ["clock-skew", "flapping", "late-flood", "outage-gap", "retries", "throughput"]
)
@pytest.mark.parametrize("together", [7, 997, 100_000])
def test_the_outcome_does_not_depend_on_what_is_counted_together(name: str, together: int) -> None:
    expected = (SCENARIOS / name / "alerts.txt").read_text("utf-8")
    assert tell(SCENARIOS / name, together) == expected


def test_shares_are_exact_and_spread() -> None:
    chosen = [i for i in range(100) if is_chosen(i, Fraction(3, 10))]
    assert len(chosen) == 30
    assert chosen[:4] == [3, 6, 9, 13]
    assert not any(is_chosen(i, Fraction(0)) for i in range(10))
    assert all(is_chosen(i, Fraction(1)) for i in range(10))
