"""Ranges into as few messages as the broker's size limit allows."""

from collections.abc import Sequence
from typing import NamedTuple

from servicelevel.domain.counts import CountsMessage, Range
from servicelevel.schemas.counts import encode_counts

_LONGEST_TIME_MS = 9_999_999_999_999  # of 13 digits, until the year 2286


class Packed(NamedTuple):
    """Messages in the order to be written; `too_large` names sources that had to be left out.

    A range is never split: half of it applied could not be told from the whole. A source is left
    out from its first range on that is too large by itself; it must be counted again in smaller
    ranges.
    """

    messages: list[bytes]
    too_large: set[str]


def fits(range_: Range, max_bytes: int) -> bool:
    """Whether there can be a message of this range."""
    return len(encode_counts(CountsMessage(_LONGEST_TIME_MS, ranges=(range_,)))) <= max_bytes


def pack(ranges: Sequence[Range], sent_at_ms: int, max_bytes: int) -> Packed:
    """Encode ranges, in order, in messages of at most `max_bytes` each."""
    packed = Packed([], set())
    if ranges:
        _pack(ranges, sent_at_ms, max_bytes, packed)
    return packed


def _pack(ranges: Sequence[Range], sent_at_ms: int, max_bytes: int, packed: Packed) -> None:
    ranges = [r for r in ranges if r.source not in packed.too_large]
    value = encode_counts(CountsMessage(sent_at_ms, ranges=tuple(ranges)))
    if len(value) <= max_bytes:
        if ranges:
            packed.messages.append(value)
    elif len(ranges) == 1:
        packed.too_large.add(ranges[0].source)
    else:
        half = len(ranges) // 2
        _pack(ranges[:half], sent_at_ms, max_bytes, packed)
        _pack(ranges[half:], sent_at_ms, max_bytes, packed)
