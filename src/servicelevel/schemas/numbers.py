"""Exact numbers as JSON can say them."""

from fractions import Fraction

from servicelevel.domain.sight import Number


def ratio(value: Fraction) -> float:
    """The nearest double."""
    return value.numerator / value.denominator


def amount(number: Number) -> int | float:
    """Events or slices, or a fraction of them; what is whole is an integer."""
    if isinstance(number, int):
        return number
    nearest = ratio(number)
    return int(nearest) if nearest.is_integer() else nearest
