"""When the error budget will be spent at the present pace, as an interval.

The pace is known from the events of one window only. How many of them were bad tells the true
ratio within the score interval of E. B. Wilson (Journal of the American Statistical Association 22,
1927, p. 209), which holds for few events and for ratios near 0 too. Square roots and the four basic
operations are exact to the last bit in IEEE 754, so all machines say the same.
"""

from math import sqrt
from typing import NamedTuple

from servicelevel.domain.sight import Number
from servicelevel.domain.span import Counts

Z_95 = 1.959963984540054
"""Standard deviations to both sides that hold 95 % of a normal distribution."""


class Eta(NamedTuple):
    """Time left in ms until the budget is spent; None: it will not be at that pace."""

    earliest_ms: float | None
    expected_ms: float | None
    latest_ms: float | None


def wilson(bad: Number, total: int, z: float) -> tuple[float, float]:
    """The interval of the true ratio, given `bad` of `total` (above 0), at `z` deviations."""
    ratio, square = float(bad) / total, z * z
    middle = ratio + square / (2 * total)
    reach = z * sqrt(ratio * (1 - ratio) / total + square / (4 * total * total))
    scale = 1 + square / total
    low = 0.0 if not bad else max(0.0, (middle - reach) / scale)
    return low, min(1.0, (middle + reach) / scale)


def eta(
    whole: Counts, whole_ms: int, pace: tuple[Number, int], budgeted: float, z: float = Z_95
) -> Eta | None:
    """Time until the budget of a window is spent: `remaining · W · (1 − T) / e`.

    `whole` are the counts over the window of `whole_ms`, `pace` (bad, total) in units over the
    window that says how fast it goes on, `budgeted` is `1 − T`. None where nothing is known of one.
    """
    good, total = whole
    bad, events = pace
    if not total or not events or budgeted <= 0:
        return None
    left = budgeted - (total - good) / total  # remaining · (1 − T)
    if left <= 0:
        return Eta(0.0, 0.0, 0.0)
    low, high = wilson(bad, events, z)
    ratio = float(bad) / events
    return Eta(*(left * whole_ms / each if each > 0 else None for each in (high, ratio, low)))
