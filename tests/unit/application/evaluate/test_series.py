"""What becomes of panes as their span moves into its day."""

from servicelevel.application.evaluate.series import Series
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

BEGIN_MS = 1_767_225_600_000
PANE_MS = 10_000
LATER_MS = BEGIN_MS + SPAN_MS + HOUR_MS


def test_a_late_event_leaves_no_finer_pane_in_the_day_than_its_neighbours() -> None:
    series = Series("i", "", PANE_MS, LADDER)
    series.add(BEGIN_MS + 6 * PANE_MS, (5, 5), 0, BEGIN_MS)
    since_ms = LATER_MS + 2 * HOUR_MS
    series.add(BEGIN_MS + PANE_MS, (0, 1), 1, BEGIN_MS + SPAN_MS, since_ms)
    (span,) = series.panes.spans.values()

    day = series.move(span, LATER_MS + SPAN_MS, 2)

    assert day.end_ms == BEGIN_MS + DAY_MS
    assert list(day.revisions) == [(BEGIN_MS + MINUTE_MS, LATER_MS + 2 * HOUR_MS)]
    series.settle(LATER_MS + 2 * HOUR_MS)
    assert dict(day.panes()) == {BEGIN_MS + MINUTE_MS: (5, 6)}
    assert day.step_ms == MINUTE_MS
