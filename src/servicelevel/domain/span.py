"""One stretch of panes, held as two rows of numbers: a table entry's worth of counts.

Thousands of series with a month of panes each have to fit into one process. So panes are slots
of arrays that are no wider than the largest count needs, and as coarse as the panes allow.
"""

from array import array
from collections.abc import Iterator, Mapping
from math import gcd
from types import MappingProxyType
from typing import Any

from servicelevel.domain.time import pane_end

Counts = tuple[int, int]
"""(good, total)."""

ZERO: Counts = (0, 0)

Revised = tuple[int, int]
"""The end of the pane that is revised, and the pane end from which on the revision counts."""

_WIDER = {"B": "H", "H": "I", "I": "Q"}
_NO_REVISIONS: Mapping[Revised, Counts] = MappingProxyType({})


class Span:
    """Panes within `(end − length, end]`; `offset` is the counts offset they have.

    `moved_to_ms` is of days: the spans that end up to here have been moved into them. A pane
    without events is one that is not there.
    """

    __slots__ = (
        "_bads",
        "_revisions",
        "_step_ms",
        "_totals",
        "end_ms",
        "length_ms",
        "moved_to_ms",
        "offset",
    )

    def __init__(
        self, end_ms: int, length_ms: int, offset: int = -1, *, moved_to_ms: int = 0
    ) -> None:
        self.end_ms = end_ms
        self.length_ms = length_ms
        self.offset = offset
        self.moved_to_ms = moved_to_ms
        self._revisions: dict[Revised, Counts] | None = None
        self._set_slots(length_ms)

    @property
    def begin_ms(self) -> int:
        """Panes end after this time."""
        return self.end_ms - self.length_ms

    @property
    def step_ms(self) -> int:
        """All panes end at multiples of this after the begin, which divides the length."""
        return self._step_ms

    def add(self, end_ms: int, good: int, total: int) -> None:
        """Count events in the pane that ends there."""
        since_ms = end_ms - self.end_ms + self.length_ms
        if since_ms % self._step_ms:
            panes = list(self.panes())
            self._set_slots(gcd(self._step_ms, since_ms))
            for each_end, counts in panes:
                self._add(each_end - self.begin_ms, *counts)
        self._add(since_ms, good, total)

    def sum(self, after_ms: int, to_ms: int) -> Counts:
        """Counts of the panes that end in `(after, to]`."""
        first, last = self._slots(after_ms, to_ms)
        if last - first == 1:
            total = self._totals[first]
            return total - (self._bads[first] if self._bads is not None else 0), total
        total = sum(self._totals[first:last])
        return total - (sum(self._bads[first:last]) if self._bads is not None else 0), total

    def between(self, after_ms: int, to_ms: int) -> Iterator[tuple[int, Counts]]:
        """(end, counts) of the panes that end in `(after, to]`, in order."""
        first, last = self._slots(after_ms, to_ms)
        for slot in range(first, last):
            if total := self._totals[slot]:
                bad = self._bads[slot] if self._bads is not None else 0
                yield self.begin_ms + (slot + 1) * self._step_ms, (total - bad, total)

    def panes(self) -> Iterator[tuple[int, Counts]]:
        """(end, counts) of all panes, in order."""
        return self.between(self.begin_ms, self.end_ms)

    def first_after(self, after_ms: int) -> int | None:
        """The end of the first pane that ends after this time."""
        first, last = self._slots(after_ms, self.end_ms)
        if first < last and not self._totals[first]:
            raw = self._totals[first:].tobytes()
            empty = len(raw) - len(raw.lstrip(b"\0"))
            first += empty // self._totals.itemsize
        return self.begin_ms + (first + 1) * self._step_ms if first < last else None

    def last_end(self) -> int | None:
        """The end of the last pane, or of the last that is revised; None where there is none."""
        ends = [end for end, _ in self.revisions]
        if (last := self._last_pane()) is not None:
            ends.append(last)
        return max(ends, default=None)

    def coarsen(self, resolution_ms: int) -> None:
        """Merge panes into ones of `resolution_ms`; nothing happens where they already are."""
        if self._step_ms % resolution_ms == 0:
            return
        merged: dict[int, Counts] = {}
        for end, (good, total) in self.panes():
            since_ms = pane_end(end, resolution_ms) - self.begin_ms
            had = merged.get(since_ms, ZERO)
            merged[since_ms] = (had[0] + good, had[1] + total)
        self._set_slots(gcd(self.length_ms, *merged))
        for since_ms, counts in merged.items():
            self._add(since_ms, *counts)

    @property
    def revisions(self) -> Mapping[Revised, Counts]:
        """What is not part of its pane yet."""
        return _NO_REVISIONS if self._revisions is None else self._revisions

    def revise(self, end_ms: int, since_ms: int, good: int, total: int) -> None:
        """Count events in a pane from a later time on."""
        if self._revisions is None:
            self._revisions = {}
        had = self._revisions.get((end_ms, since_ms), ZERO)
        self._revisions[end_ms, since_ms] = (had[0] + good, had[1] + total)

    def settle(self, until_ms: int) -> None:
        """Revisions that count since then or before become part of their panes."""
        if self._revisions is None:
            return
        for end, since in [key for key in self._revisions if key[1] <= until_ms]:
            self.add(end, *self._revisions.pop((end, since)))
        self._revisions = self._revisions or None

    def dump(self) -> list[Any]:
        """`[step, first slot, totals, bads]` from the first pane to the last; `load` reads it.

        There are no bads where all of them are zero.
        """
        first_end, last_end = self.first_after(self.begin_ms), self._last_pane()
        if first_end is None or last_end is None:
            return []
        first, last = self._slots(first_end - 1, last_end)
        bads = [] if self._bads is None else self._bads[first:last].tolist()
        return [self._step_ms, first, self._totals[first:last].tolist(), bads if any(bads) else []]

    def load(self, dumped: list[Any]) -> None:
        """Read what `dump` wrote; flat integers `[end, good, total, …]` are its older form."""
        if dumped and isinstance(dumped[-1], list):
            step_ms, first, totals, bads = dumped
            if bads and len(bads) != len(totals):
                raise ValueError(f"{len(totals)} panes have {len(bads)} bad counts")
            self._set_slots(step_ms)
            self._fill(first, totals, bads)
            return
        numbers = iter(dumped)
        for end, good, total in zip(numbers, numbers, numbers, strict=True):
            self.add(end, good, total)

    def dump_revisions(self) -> list[int]:
        """Flat integers `[end, since, good, total, …]`, in order of time."""
        return [n for key in sorted(self.revisions) for n in (*key, *self.revisions[key])]

    def load_revisions(self, flat: list[int]) -> None:
        """Read what `dump_revisions` wrote."""
        numbers = iter(flat)
        for each in zip(numbers, numbers, numbers, numbers, strict=True):
            self.revise(*each)

    def _last_pane(self) -> int | None:
        filled = len(self._totals.tobytes().rstrip(b"\0"))
        slots = -(-filled // self._totals.itemsize)
        return self.begin_ms + slots * self._step_ms if slots else None

    def _slots(self, after_ms: int, to_ms: int) -> tuple[int, int]:
        begin_ms, step_ms = self.end_ms - self.length_ms, self._step_ms
        first = max(0, (after_ms - begin_ms) // step_ms)
        return first, max(first, (min(to_ms, self.end_ms) - begin_ms) // step_ms)

    def _set_slots(self, step_ms: int) -> None:
        self._step_ms = step_ms
        self._totals = array("B", bytes(self.length_ms // step_ms))
        self._bads: array[int] | None = None

    def _fill(self, first: int, totals: list[int], bads: list[int]) -> None:
        slots = len(self._totals)
        self._totals = _at(slots, first, totals)
        if bads:
            self._bads = _at(slots, first, bads)

    def _add(self, since_ms: int, good: int, total: int) -> None:
        slot = since_ms // self._step_ms - 1
        self._totals = _with(self._totals, slot, total)
        if bad := total - good:
            if self._bads is None:
                self._bads = array("B", bytes(len(self._totals)))
            self._bads = _with(self._bads, slot, bad)


def _at(slots: int, first: int, numbers: list[int]) -> "array[int]":
    """So many slots, with these numbers from the first one on. IndexError: there are fewer."""
    if not 0 <= first <= slots - len(numbers):
        raise IndexError(f"{len(numbers)} panes from slot {first} on are not within {slots}")
    row = array("B")
    while max(numbers) >> (8 * row.itemsize):
        row = array(_WIDER[row.typecode])
    row.frombytes(bytes(slots * row.itemsize))
    row[first : first + len(numbers)] = array(row.typecode, numbers)
    return row


def _with(numbers: "array[int]", slot: int, more: int) -> "array[int]":
    """The numbers with one greater, in place or in a wider array."""
    while True:
        try:
            numbers[slot] += more
        except OverflowError:
            numbers = array(_WIDER[numbers.typecode], numbers)
        else:
            return numbers
