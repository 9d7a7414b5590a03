"""Sketches of values: counts in buckets whose bounds grow by a constant factor.

The form is that of DDSketch (Masson, Rim and Lee, VLDB 12, 2019): a quantile told from it is within
`RELATIVE_ERROR` of the true one. Sketches are added up as integers, in any order. Bounds are made
by multiplication alone, so that all machines have the same.
"""

from bisect import bisect_left
from collections.abc import Mapping
from fractions import Fraction
from functools import cache

RELATIVE_ERROR = 0.01
SMALLEST, LARGEST = 1e-3, 1e12
"""Values below the smallest are told as 0, above the largest as that."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)

Sketch = Mapping[int, int]
"""Counts by bucket; 0 is the bucket of values below the smallest."""


@cache
def _bounds() -> list[float]:
    bounds = [SMALLEST]
    while bounds[-1] < LARGEST:
        bounds.append(bounds[-1] * _GROWTH)
    return bounds


def bucket(value: float) -> int:
    """The bucket of a value; negative ones and NaN are in that of 0."""
    if not value >= SMALLEST:
        return 0
    return min(bisect_left(_bounds(), value) + 1, len(_bounds()))


def value_of(number: int) -> float:
    """The value that stands for a bucket: at most the relative error from all in it."""
    if number <= 0:
        return 0.0
    upper = _bounds()[min(number, len(_bounds())) - 1]
    return 2 * upper / (1 + _GROWTH)


def quantile(sketch: Sketch, ratio: Fraction) -> float:
    """The quantile by nearest rank, 0 < ratio ≤ 1. Raises ValueError for an empty sketch."""
    total = sum(sketch.values())
    if not total:
        raise ValueError("there is no quantile of nothing")
    rank = -(-ratio.numerator * total // ratio.denominator)
    seen = 0
    for number in sorted(sketch):
        seen += sketch[number]
        if seen >= rank:
            return value_of(number)
    raise AssertionError("the last bucket has the highest rank")
