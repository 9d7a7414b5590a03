"""Sums of cells: good and total counts, and where the bad events came from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from servicelevel.domain.counts import BadEvidence, Cell

OTHER = "__other__"
MAX_DIMENSIONS = 32  # values named in a cell
_MAX_HELD = 1_024  # values told apart while events are still being added
EVIDENCE_BYTES = 150  # of a cell in a message, where a few events are bad
_NUMBERS_BYTES = 60  # those of a cell, and what stands between them
COUNT_BYTES = 12  # a name's quotes and its count, or a bucket and its count
_OFFSETS_BYTES = 60


@dataclass(slots=True)
class GrowingEvidence:
    """A growing BadEvidence."""

    offsets: dict[str, tuple[int, int]] = field(default_factory=dict)
    dimensions: dict[str, int] = field(default_factory=dict)

    def add(self, *parts: "BadEvidence | GrowingEvidence") -> None:
        """Add bad events: their first and last offset by source, and counts by `name=value`."""
        offsets, held = self.offsets, self.dimensions
        for bad in parts:
            for source, span in bad.offsets.items():
                known = offsets.get(source, span)
                offsets[source] = (
                    span[0] if span[0] < known[0] else known[0],
                    span[1] if span[1] > known[1] else known[1],
                )
            for dimension, count in bad.dimensions.items():
                held[dimension] = held.get(dimension, 0) + count
            if len(held) > _MAX_HELD:
                self.dimensions = held = named_dimensions(held)

    def freeze(self) -> BadEvidence:
        """As it goes into a cell."""
        return BadEvidence(dict(self.offsets), named_dimensions(self.dimensions))


@dataclass(slots=True)
class _Sum:
    good: int = 0
    total: int = 0
    evidence: GrowingEvidence | None = None
    sketch: dict[int, int] | None = None


CellKey = tuple[str, str, int, int]
"""Indicator, group, pane_end_ms and revision_ms."""


class CellSums:
    """Cells under construction, by their keys.

    `bytes_at_most` is about what they take in a message; evidence is counted each time it is added.
    """

    def __init__(self) -> None:
        self._sums: dict[CellKey, _Sum] = {}
        self.bytes_at_most = 0

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, key: CellKey, good: int, total: int, *bad: BadEvidence | GrowingEvidence) -> None:
        """Add counts to a cell, and evidence of bad events."""
        into = self._sums.get(key)
        if into is None:
            into = self._sums[key] = _Sum()
            self.bytes_at_most += cell_bytes(key[0], key[1])
        into.good += good
        into.total += total
        if bad:
            if into.evidence is None:
                into.evidence = GrowingEvidence()
            into.evidence.add(*bad)
            self.bytes_at_most += sum(map(_evidence_bytes, bad))

    def add_sketch(self, key: CellKey, sketch: Mapping[int, int]) -> None:
        """Add counts of values to a cell that was added to."""
        into = self._sums[key]
        if into.sketch is None:
            into.sketch = {}
        for bucket, count in sketch.items():
            into.sketch[bucket] = into.sketch.get(bucket, 0) + count
        self.bytes_at_most += COUNT_BYTES * len(sketch)

    def cells(self) -> list[Cell]:
        """All cells, in the order of their keys."""
        return [_cell(key, self._sums[key]) for key in sorted(self._sums)]


def cell_bytes(indicator: str, group: str) -> int:
    """About what a cell without bad events takes in a message."""
    return _NUMBERS_BYTES + len(indicator) + len(group)


def _evidence_bytes(bad: BadEvidence | GrowingEvidence) -> int:
    names = sum(map(len, bad.dimensions)) + COUNT_BYTES * len(bad.dimensions)
    return _OFFSETS_BYTES * len(bad.offsets) + names


def _cell(key: CellKey, found: _Sum) -> Cell:
    evidence = found.evidence.freeze() if found.evidence is not None else None
    indicator, group, end_ms, revision_ms = key
    return Cell(
        indicator, group, end_ms, found.good, found.total, evidence, revision_ms, found.sketch
    )


def merge_cells(cells: Iterable[Cell]) -> list[Cell]:
    """One cell for each key, in the order of these."""
    sums = CellSums()
    for cell in cells:
        key = (cell.indicator, cell.group, cell.pane_end_ms, cell.revision_ms)
        sums.add(key, cell.good, cell.total, *([cell.bad] if cell.bad else []))
        if cell.sketch is not None:
            sums.add_sketch(key, cell.sketch)
    return sums.cells()


def named_dimensions(dimensions: Mapping[str, int]) -> dict[str, int]:
    """The 32 most frequent ones if there are more; the rest are added up in `__other__`."""
    if len(dimensions) <= MAX_DIMENSIONS:
        return dict(dimensions)
    ranked = sorted(
        (item for item in dimensions.items() if item[0] != OTHER), key=lambda i: (-i[1], i[0])
    )
    named = dict(ranked[:MAX_DIMENSIONS])
    rest = dimensions.get(OTHER, 0) + sum(count for _, count in ranked[MAX_DIMENSIONS:])
    if rest:
        named[OTHER] = rest
    return named
