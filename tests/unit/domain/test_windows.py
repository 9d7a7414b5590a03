"""The ladder, panes and windows by worked examples."""

import pytest

from servicelevel.domain.ladder import SPAN_MS, Ladder, Rung
from servicelevel.domain.lens import Lens, View
from servicelevel.domain.panes import Panes
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, duration_text, pane_end
from servicelevel.domain.windows import Windows
from tests.builders.ladder import LADDER

PANE = 10_000


def panes_of(counts: dict[int, tuple[int, int]]) -> Panes:
    panes = Panes(LADDER, PANE)
    for end, (good, total) in counts.items():
        span, at = panes.locate(end, end, end - DAY_MS)
        span.add(at, good, total)
    return panes


@pytest.mark.parametrize(
    ("time_ms", "end"), [(0, 0), (1, 10_000), (10_000, 10_000), (10_001, 20_000)]
)
def test_a_pane_holds_its_end_and_not_its_start(time_ms: int, end: int) -> None:
    assert pane_end(time_ms, PANE) == end


@pytest.mark.parametrize(
    ("window", "resolution"),
    [
        (5 * MINUTE_MS, 10_000),
        (HOUR_MS, 10_000),
        (HOUR_MS + 1, MINUTE_MS),
        (6 * HOUR_MS, MINUTE_MS),
        (3 * DAY_MS, 5 * MINUTE_MS),
        (30 * DAY_MS, 15 * MINUTE_MS),
    ],
)
def test_the_shipped_ladder(window: int, resolution: int) -> None:
    assert LADDER.resolution_ms(window) == resolution


def test_the_old_edge_of_a_long_window_moves_in_steps() -> None:
    month = 30 * DAY_MS
    at = 60 * DAY_MS + 7 * MINUTE_MS

    assert LADDER.old_edge_ms(at, month) == 30 * DAY_MS
    assert LADDER.old_edge_ms(at + 8 * MINUTE_MS, month) == 30 * DAY_MS + 15 * MINUTE_MS


def test_a_ladder_must_get_coarser_with_age() -> None:
    with pytest.raises(ValueError, match="young to old"):
        Ladder((Rung(HOUR_MS, 10_000), Rung(HOUR_MS, 60_000)))
    with pytest.raises(ValueError, match="multiple"):
        Ladder((Rung(HOUR_MS, 60_000), Rung(DAY_MS, 90_000)))


@pytest.mark.parametrize(
    ("pane_ms", "resolutions_ms"),
    [
        (PANE, [PANE, MINUTE_MS, 5 * MINUTE_MS]),
        (45_000, [45_000, 90_000, 450_000]),
        (3 * MINUTE_MS, [3 * MINUTE_MS, 3 * MINUTE_MS, 15 * MINUTE_MS]),
        (15 * MINUTE_MS, [15 * MINUTE_MS] * 3),
    ],
)
def test_a_ladder_fits_any_pane_that_divides_a_span(
    pane_ms: int, resolutions_ms: list[int]
) -> None:
    assert [r.resolution_ms for r in LADDER.for_pane(pane_ms).rungs] == resolutions_ms


def test_there_is_no_ladder_for_a_pane_that_does_not_divide_a_span() -> None:
    with pytest.raises(ValueError, match="divide"):
        LADDER.for_pane(2 * MINUTE_MS)


def test_panes_sum_over_spans() -> None:
    panes = panes_of({PANE: (1, 1), SPAN_MS: (2, 3), SPAN_MS + PANE: (5, 8)})

    assert panes.sum(0, SPAN_MS + PANE) == (8, 12)
    assert panes.sum(PANE, SPAN_MS) == (2, 3)
    assert panes.sum(SPAN_MS, SPAN_MS + PANE) == (5, 8)


def test_the_next_pane_is_found_over_gaps() -> None:
    panes = panes_of({PANE: (1, 1), 3 * DAY_MS: (1, 1)})

    assert panes.next_after(0) == PANE
    assert panes.next_after(PANE) == 3 * DAY_MS
    assert panes.next_after(3 * DAY_MS) is None


def test_windows_slide() -> None:
    panes = panes_of({PANE: (0, 1), 2 * PANE: (1, 1), 3 * PANE: (1, 1)})
    windows = Windows(View(panes, Lens()), [2 * PANE], 0)

    windows.advance(2 * PANE)
    assert windows.sums() == {2 * PANE: (1, 2)}
    windows.advance(3 * PANE)
    assert windows.sums() == {2 * PANE: (2, 2)}
    windows.advance(5 * PANE)
    assert windows.sums() == {2 * PANE: (0, 0)}


def test_looking_ahead_leaves_windows_where_they_are() -> None:
    panes = panes_of({PANE: (0, 1), 2 * PANE: (1, 1)})
    windows = Windows(View(panes, Lens()), [MINUTE_MS], PANE)

    assert windows.peek(2 * PANE).sums() == {MINUTE_MS: (1, 2)}
    assert windows.sums() == {MINUTE_MS: (0, 1)}


def test_a_revision_reaches_only_the_windows_that_hold_its_pane() -> None:
    panes = panes_of({PANE: (1, 1)})
    windows = Windows(View(panes, Lens()), [PANE, MINUTE_MS], 3 * PANE)

    windows.revise(PANE, 0, 1)

    assert windows.sums() == {PANE: (0, 0), MINUTE_MS: (1, 2)}


@pytest.mark.parametrize(
    ("ms", "text"),
    [(30 * DAY_MS, "30d"), (HOUR_MS, "1h"), (90_000, "90s"), (5 * MINUTE_MS, "5m"), (7, "7ms")],
)
def test_durations_are_written_in_their_largest_whole_unit(ms: int, text: str) -> None:
    assert duration_text(ms) == text
