"""Uptime as agreements write it: from outages and agreed service time, or minute by minute.

Times are in ms, intervals `(from, to]`, ratios exact. Uptime over slices of counts (the mean of
error rates of S3, the minutes of EC2) is what the methods of `domain/slices.py` count.

Sources: ITIL 4, practice «Availability management»; the agreements that vendors publish,
https://aws.amazon.com/s3/sla/, https://aws.amazon.com/compute/sla/ and
https://cloud.google.com/functions/sla.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from servicelevel.domain.span import Counts


class Interval(NamedTuple):
    """A time `(from, to]`, in epoch ms."""

    from_ms: int
    to_ms: int


class Outage(NamedTuple):
    """A time in which so many of all users were without service."""

    during: Interval
    users: int


class Band(NamedTuple):
    """An uptime below this ratio is worth this credit, a ratio of the bill."""

    below: Fraction
    credit: Fraction


def downtime_ms(agreed: Iterable[Interval], outages: Iterable[Interval]) -> int:
    """How much of the agreed service time was down; what outages share counts once."""
    down = _joined(outages)
    return sum(
        max(0, min(each.to_ms, out.to_ms) - max(each.from_ms, out.from_ms))
        for each in _joined(agreed)
        for out in down
    )


def availability(agreed: Iterable[Interval], outages: Iterable[Interval]) -> Fraction | None:
    """`(agreed service time - downtime) / agreed service time`; None where none is agreed."""
    times = _joined(agreed)
    agreed_ms = _length_ms(times)
    return Fraction(agreed_ms - downtime_ms(times, outages), agreed_ms) if agreed_ms else None


def user_availability(
    agreed: Iterable[Interval], outages: Iterable[Outage], users: int
) -> Fraction | None:
    """As `availability`, of the time of all `users`; outages of the same users do not overlap."""
    times = _joined(agreed)
    whole = users * _length_ms(times)
    lost = sum(each.users * downtime_ms(times, [each.during]) for each in outages)
    return Fraction(whole - lost, whole) if whole else None


def mean_time_ms(times_ms: Sequence[int]) -> Fraction | None:
    """MTTR of how long outages lasted, MTTA of how long they waited to be acknowledged."""
    return Fraction(sum(times_ms), len(times_ms)) if times_ms else None


def mean_time_between_failures_ms(agreed_ms: int, outages_ms: Sequence[int]) -> Fraction | None:
    """MTBF: the time up by the number of outages; None without one.

    With the MTTR of the same outages, availability is `MTBF / (MTBF + MTTR)`.
    """
    return Fraction(agreed_ms - sum(outages_ms), len(outages_ms)) if outages_ms else None


def is_down(minute: Counts, above: Fraction, min_events: int) -> bool:
    """Whether a minute of (good, total) events is down by its error ratio.

    One with fewer than `min_events` events is not: one failure would decide.
    """
    good, total = minute
    return total >= max(1, min_events) and total - good > above * total


def credit(uptime: Fraction, bands: Iterable[Band]) -> Fraction:
    """The credit of the lowest band that the uptime is in; 0 where it is below none."""
    found = [band for band in bands if uptime < band.below]
    return min(found).credit if found else Fraction(0)


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in intervals that do not overlap, in order."""
    found: list[Interval] = []
    for each in sorted(intervals):
        if found and each.from_ms <= found[-1].to_ms:
            found[-1] = Interval(found[-1].from_ms, max(found[-1].to_ms, each.to_ms))
        elif each.from_ms < each.to_ms:
            found.append(each)
    return found


def _length_ms(intervals: Iterable[Interval]) -> int:
    return sum(each.to_ms - each.from_ms for each in intervals)
