"""Events in some order, counted in some batches: logs for an evaluator."""

from typing import Any

from hypothesis import strategies as st

from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.outputs import Output, Transition
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, pane_end
from tests.builders.brute_force import Counted

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LATENESS_MS = 30_000
GAPS_MS = (10_000, MINUTE_MS, 17 * MINUTE_MS, HOUR_MS, 7 * HOUR_MS, DAY_MS, 3 * DAY_MS)


@st.composite
def histories(
    draw: st.DrawFn,
    *,
    pane_ms: int = 10_000,
    start_ms: int = T0,
    gaps_ms: tuple[int, ...] = GAPS_MS,
) -> list[tuple[int, int, int]]:
    """Cells (pane end, good, total) in bursts with gaps from seconds to days, in time order."""
    cells: list[tuple[int, int, int]] = []
    at = start_ms
    for _ in range(draw(st.integers(1, 6))):
        at += draw(st.sampled_from(gaps_ms))
        at = at // pane_ms * pane_ms
        for _ in range(draw(st.integers(1, 8))):
            total = draw(st.integers(1, 20))
            cells.append((at, draw(st.integers(0, total)), total))
            at += pane_ms * draw(st.integers(1, 3))
    return cells


def displaced(
    draw: st.DrawFn, cells: list[tuple[int, int, int]], pane_ms: int
) -> list[tuple[int, Cell]]:
    """(source, cell) in some order: mostly within the lateness, a few far behind it."""
    lateness = LATENESS_MS
    far = st.sampled_from([lateness] * 6 + [HOUR_MS, 8 * HOUR_MS, 2 * DAY_MS])
    keyed = sorted(
        (end + draw(st.integers(0, draw(far))), draw(st.integers(0, 1)), end, good, total)
        for end, good, total in cells
    )
    highest: list[int | None] = [None, None]
    found = []
    for _, p, end, good, total in keyed:
        known = highest[p]
        watermark = -1 if known is None else known - lateness - 1
        since = pane_end(watermark + 1, pane_ms) if end <= watermark else 0
        found.append((p, Cell("i1", "", end, good, total, None, since)))
        highest[p] = end if known is None else max(known, end)
    return found


@st.composite
def logs(
    draw: st.DrawFn, cells: list[tuple[int, int, int]], *, pane_ms: int = 10_000
) -> tuple[list[CountsMessage], list[Counted]]:
    """The cells as messages in any batches, over two sources; and what counts since when."""
    keyed = displaced(draw, cells, pane_ms)
    counted = [(c.pane_end_ms, c.good, c.total, c.revision_ms) for _, c in keyed]
    applied, highest = [0, 0], [None, None]
    claims = tuple(Claim(f"requests/{p}", 1, "me", 0, {"requests": 2}) for p in (0, 1))
    messages = [CountsMessage(0, claims)]
    while keyed:
        size = draw(st.integers(1, 12))
        batch, keyed = keyed[:size], keyed[size:]
        ranges = []
        for p in (0, 1):
            mine = [cell for source, cell in batch if source == p]
            times = [c.pane_end_ms for c in mine] + ([] if highest[p] is None else [highest[p]])
            highest[p] = max(times, default=None)
            ranges.append(
                Range(
                    f"requests/{p}",
                    1,
                    applied[p],
                    applied[p] + len(mine),
                    highest[p],
                    idle=not any(source == p for source, _ in keyed) and not mine,
                    cells=tuple(mine),
                )
            )
            applied[p] += len(mine)
        messages.append(CountsMessage(0, (), tuple(ranges)))
    last = max(c[0] for c in cells) + LATENESS_MS + 1
    messages.append(
        CountsMessage(
            0, (), tuple(Range(f"requests/{p}", 1, applied[p], applied[p], last) for p in (0, 1))
        )
    )
    return messages, counted


def on_time(outputs: list[Output]) -> list[tuple[Any, ...]]:
    found = {o.id: o for o in outputs if isinstance(o, Transition) and not o.early}
    told = [
        (
            o.kind,
            o.state.value,
            o.at_ms,
            o.rule if o.kind == "warning" and o.state != "resolved" else None,
        )
        for o in found.values()
    ]
    return sorted(told, key=lambda t: (t[2], t[0]))
