"""Corrections: spans of time that do not count as they were measured, such as maintenance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

Effect = Literal["remove", "good"]


@dataclass(frozen=True, slots=True)
class Correction:
    """Panes that end in `(from, to]` are removed, or all of their events are good.

    Both edges are whole quarters of an hour, the coarsest panes, so that a correction of last month
    is as exact as one of today. `by`, `reason` and `recorded_at` are kept for whoever asks.
    """

    name: str
    from_ms: int
    to_ms: int
    effect: Effect
    by: str = ""
    reason: str = ""
    recorded_at: str = ""


class Stretch(NamedTuple):
    """A stretch of time `(from, to]` with one effect."""

    from_ms: int
    to_ms: int
    effect: Effect


def stretches(corrections: Iterable[Correction]) -> tuple[Stretch, ...]:
    """Corrections as stretches that do not overlap, in order; `remove` prevails over `good`."""
    known = list(corrections)
    edges = sorted({edge for c in known for edge in (c.from_ms, c.to_ms)})
    found: list[Stretch] = []
    for begin, end in pairwise(edges):
        effects = {c.effect for c in known if c.from_ms <= begin and end <= c.to_ms}
        if effects:
            found.append(Stretch(begin, end, "remove" if "remove" in effects else "good"))
    return tuple(_joined(found))


def _joined(found: Iterable[Stretch]) -> Iterator[Stretch]:
    last: Stretch | None = None
    for each in found:
        if last is not None and (last.to_ms, last.effect) == (each.from_ms, each.effect):
            last = Stretch(last.from_ms, each.to_ms, each.effect)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last
