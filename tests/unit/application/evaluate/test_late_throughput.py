"""Late events and intervals: what an interval holds is a function of the sources' logs."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output, Status, Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import RateSlices
from servicelevel.domain.time import DAY_MS, MINUTE_MS, pane_end
from tests.builders.ladder import LADDER

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE_MS = 10_000
LATENESS_MS = 10_000
EACH_5M = RateSlices(5 * MINUTE_MS, "gte", Fraction(3))
INDICATOR = Indicator("i1", "request", "shop", "", "", slice_ms=5 * MINUTE_MS)
OBJECTIVE = Objective("objective-1", INDICATOR, Fraction(1, 2), (), EACH_5M)
SLO = Slo("busy", "shop", DAY_MS, (OBJECTIVE,), "d1")


def told(times_ms: list[int], sizes: list[int], slo: Slo = SLO) -> list[Output]:
    """What is told of one source's events, in batches of these sizes, and then by singles."""
    evaluator = Evaluator(Catalogue.of([slo]), EvaluationPolicy(LADDER, LATENESS_MS), MemoryState())
    cells = as_cells(times_ms)
    messages = [CountsMessage(0, (Claim("requests/0", 1, "me", 0, {"requests": 1}),))]
    begin = 0
    while begin < len(cells):
        end = begin + (sizes.pop() if sizes else 1)
        batch = tuple(cells[begin:end])
        message = Range(
            "requests/0", 1, begin, begin + len(batch), max(times_ms[:end]), cells=batch
        )
        messages.append(CountsMessage(0, (), (message,)))
        begin = end
    return [o for at, message in enumerate(messages) for o in evaluator.apply(message, at)]


def as_cells(times_ms: list[int]) -> list[Cell]:
    """A cell for each event; late ones revise."""
    cells, highest = [], min(times_ms)
    for time in times_ms:
        watermark = highest - LATENESS_MS - 1
        since = pane_end(watermark + 1, PANE_MS) if pane_end(time, PANE_MS) <= watermark else 0
        cells.append(Cell("i1", "", pane_end(time, PANE_MS), 1, 1, None, since))
        highest = max(highest, time)
    return cells


def judged(outputs: list[Output]) -> tuple[int, int]:
    """(good, total) intervals of the last status."""
    status = [o for o in outputs if isinstance(o, Status)][-1]
    return status.good, status.total


def test_a_late_event_counts_in_the_interval_that_is_not_over() -> None:
    first, second, late, after = (T0 + m * MINUTE_MS for m in (0, 3, 2, 6))
    assert judged(told([first, second, after], [])) == (0, 1)
    assert judged(told([first, second, late, late, after], [])) == (1, 1)


def test_a_late_event_judges_an_interval_anew() -> None:
    on_time, late = [0, 1, 7], [2, 3]
    after = [8, 12]
    assert judged(told([T0 + m * MINUTE_MS for m in (*on_time, *after)], [])) == (0, 2)
    assert judged(told([T0 + m * MINUTE_MS for m in (*on_time, *late, *after)], [])) == (1, 2)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 400)), min_size=1, max_size=60),
    st.lists(st.integers(1, 20), max_size=30),
)
def test_any_batching_judges_intervals_alike(
    steps: list[tuple[int, int]], sizes: list[int]
) -> None:
    times, at_ms = [], T0
    for ahead_s, behind_s in steps:
        at_ms += ahead_s * 1_000
        times.append(at_ms - (behind_s * 1_000 if behind_s > 200 else 0))
    times.append(at_ms + 20 * MINUTE_MS)

    one_by_one, batched = told(times, []), told(times, sizes)

    assert judged(batched) == judged(one_by_one)
    assert transitions(batched) == transitions(one_by_one)


def transitions(outputs: list[Output]) -> list[Transition]:
    return [o for o in outputs if isinstance(o, Transition)]


def test_a_long_gap_is_judged_alike_at_once_and_step_by_step() -> None:
    busy = [T0 + s * 1_000 for s in range(0, 3_600, 30)]
    later = [T0 + 4 * DAY_MS + s * 1_000 for s in range(0, 3_600, 30)]
    rule = pair("1h/5m", 60 * MINUTE_MS, 5 * MINUTE_MS, Fraction(1), Severity.PAGE)
    slo = replace(SLO, objectives=(replace(OBJECTIVE, rules=(rule,)),))
    times = [*busy, *later]
    step_by_step, at_once = told(times, [], slo), told(times, [len(times)], slo)
    assert transitions(at_once) == transitions(step_by_step)
    states = [t.state.value for t in transitions(at_once) if t.kind == "warning"]
    assert states == ["raised", "resolved"]
