"""Quantiles from sketches are within the stated relative error, however sketches were added up."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.sketch import (
    LARGEST,
    RELATIVE_ERROR,
    SMALLEST,
    bucket,
    quantile,
    value_of,
)

VALUES = st.floats(SMALLEST, LARGEST)
RATIOS = [Fraction(1, 2), Fraction(9, 10), Fraction(99, 100), Fraction(999, 1000), Fraction(1)]


@given(VALUES)
def test_a_bucket_stands_for_its_values(value: float) -> None:
    assert value_of(bucket(value)) == pytest.approx(value, rel=RELATIVE_ERROR * (1 + 1e-9))


@given(VALUES, VALUES)
def test_buckets_keep_the_order(a: float, b: float) -> None:
    assert (bucket(a) <= bucket(b)) or a > b


@given(st.lists(VALUES, min_size=1, max_size=200), st.sampled_from(RATIOS))
def test_a_quantile_is_within_the_relative_error(values: list[float], ratio: Fraction) -> None:
    rank = -(-ratio.numerator * len(values) // ratio.denominator)
    true = sorted(values)[rank - 1]
    found = quantile(Counter(map(bucket, values)), ratio)
    assert found == pytest.approx(true, rel=RELATIVE_ERROR * (1 + 1e-9))


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-9, float("nan"), float("-inf")])
def test_what_is_no_positive_number_is_nothing(value: float) -> None:
    assert value_of(bucket(value)) == 0


@pytest.mark.parametrize("value", [1e13, 1e300, float("inf")])
def test_what_is_beyond_the_largest_is_told_as_that(value: float) -> None:
    assert value_of(bucket(value)) == pytest.approx(LARGEST, rel=2 * RELATIVE_ERROR)


def test_there_is_no_quantile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantile({}, Fraction(1, 2))
