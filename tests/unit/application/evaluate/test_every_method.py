"""Every budgeting method, window, correction and rule, against brute force over all events."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.calendar import Calendar
from servicelevel.domain.corrections import Correction
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output, Transition
from servicelevel.domain.rules import All, AnyOf, BudgetSpent, BurnRate, NoData, Rule, pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import RateSlices, RatioSlices, TimeSlices
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, pane_end
from tests.builders.brute_force import QUARTER, Oracle
from tests.builders.histories import LATENESS_MS, histories, logs, on_time
from tests.builders.ladder import LADDER
from tests.unit.application.evaluate.test_evaluator_properties import JournalledState

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 1, 5)  # noqa: DTZ001  # its zone is the calendar's
SPRING = 1_774_659_600_000  # 2026-03-28T01:00:00Z; on the 29th clocks are set forward
PANE = MINUTE_MS
GAPS_MS = (PANE, 17 * MINUTE_MS, HOUR_MS, 7 * HOUR_MS)
RULES = (
    pair("1h/10m", HOUR_MS, 10 * MINUTE_MS, Fraction(3), Severity.PAGE),
    Rule(
        "slow",
        All((BurnRate(4 * HOUR_MS, Fraction(2)), BurnRate(20 * MINUTE_MS, Fraction(1)))),
        Severity.TICKET,
        after_ms=12 * MINUTE_MS,
        clear_ratio=Fraction(1, 2),
        clear_after_ms=5 * MINUTE_MS,
    ),
    Rule(
        "spent or quiet",
        AnyOf((BudgetSpent(Fraction(3, 4)), NoData(90 * MINUTE_MS))),
        Severity.INFO,
        after_ms=3 * MINUTE_MS,
    ),
)
METHODS = st.sampled_from(
    [
        None,
        TimeSlices(5 * MINUTE_MS, Fraction(4, 5)),
        TimeSlices(MINUTE_MS, Fraction(1, 2), strict=True),
        TimeSlices(HOUR_MS, Fraction(9, 10)),
        RatioSlices(5 * MINUTE_MS),
        RateSlices(5 * MINUTE_MS, "gte", Fraction(6)),
        RateSlices(15 * MINUTE_MS, "lt", Fraction(30)),
    ]
)
CALENDARS = st.sampled_from(
    [None, *(Calendar(MONDAY, "Europe/Berlin", 1, u, BERLIN) for u in ("d", "w"))]
)
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=LATENESS_MS)


@st.composite
def corrections(draw: st.DrawFn) -> tuple[Correction, ...]:
    found = []
    for number in range(draw(st.integers(0, 2))):
        begin = SPRING // QUARTER * QUARTER + QUARTER * draw(st.integers(0, 40))
        end = begin + QUARTER * draw(st.integers(1, 12))
        effect = draw(st.sampled_from(["remove", "good"]))
        found.append(Correction(f"c{number}", begin, end, effect))
    return tuple(found)


@st.composite
def slos(draw: st.DrawFn) -> Slo:
    slices = draw(METHODS)
    indicator = Indicator(
        "i1",
        "request",
        "shop",
        "",
        "good",
        pane_ms=PANE,
        slice_ms=min(slices.length_ms, QUARTER) if slices else 0,
    )
    objective = Objective(
        "objective-1",
        indicator,
        draw(st.sampled_from([Fraction(9, 10), Fraction(3, 4)])),
        tuple(draw(st.lists(st.sampled_from(RULES), unique=True))),
        slices,
        draw(st.sampled_from(["ignore", "good", "bad"])),
    )
    calendar = draw(CALENDARS)
    window = {"d": DAY_MS, "w": 7 * DAY_MS}[calendar.unit] if calendar else 10 * HOUR_MS
    return Slo(
        "shop-ok",
        "shop",
        window,
        (objective,),
        "d1",
        calendar=calendar,
        corrections=draw(corrections()),
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_is_told_is_what_all_events_at_once_decide(data: st.DataObject) -> None:
    slo = data.draw(slos())
    cells = data.draw(histories(pane_ms=PANE, start_ms=SPRING, gaps_ms=GAPS_MS))
    messages, counted = data.draw(logs(cells, pane_ms=PANE))
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, MemoryState())
    outputs: list[Output] = []
    for offset, message in enumerate(messages):
        outputs += evaluator.apply(message, offset)

    indicator = slo.objectives[0].indicator
    ladder = LADDER.for_pane(PANE)
    ladder = ladder.for_slices(indicator.slice_ms) if indicator.slice_ms else ladder
    oracle = Oracle(slo, ladder, counted)
    last = max(c[0] for c in counted)
    assert on_time(outputs) == oracle.told(min(c[0] for c in counted), last)

    [status] = evaluator.statuses(last)
    at = last // oracle.step * oracle.step if slo.objectives[0].slices else pane_end(last, PANE)
    good, total = oracle.window(at, None, edge_of=last)  # a period may have begun since `at`
    if slo.objectives[0].slices is None and not oracle.events(at, None):
        total = 0
        good = Fraction(0)
    assert (Fraction(status.good) if total else 0, status.total) == (good, total)


def run(slo: Slo, messages: list[CountsMessage], state: JournalledState) -> list[Output]:
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, state)
    outputs: list[Output] = list(evaluator.pending())
    for offset in range(evaluator.next_offset or 0, len(messages)):
        outputs += evaluator.apply(messages[offset], offset)
    return outputs


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_crash_after_any_write_changes_nothing(data: st.DataObject) -> None:
    slo = data.draw(slos())
    cells = data.draw(histories(pane_ms=PANE, start_ms=SPRING, gaps_ms=GAPS_MS))
    messages, _ = data.draw(logs(cells, pane_ms=PANE))
    whole = JournalledState()
    expected = run(slo, messages, whole)
    crashed = whole.after(data.draw(st.integers(0, len(whole.journal))))
    progress = crashed.get("p")
    before = run(slo, messages[: progress.offset + 1 if progress else 0], JournalledState())

    after = run(slo, messages, crashed)

    told = {o.id: o for o in [*before, *after] if isinstance(o, Transition)}
    assert told == {o.id: o for o in expected if isinstance(o, Transition)}


def test_the_first_event_of_a_slice_that_counts_as_good_may_be_late() -> None:
    """The slice counts from then on, and leaves as it came."""
    indicator = Indicator("i1", "request", "shop", "", "good", pane_ms=PANE, slice_ms=PANE)
    slices = TimeSlices(PANE, Fraction(4, 5))
    objective = Objective("objective-1", indicator, Fraction(9, 10), (), slices)
    announced = Correction("c", SPRING, SPRING + QUARTER, "good")
    slo = Slo("shop-ok", "shop", HOUR_MS, (objective,), "d1", corrections=(announced,))
    minutes = [[(1, 0)], [(9, 0), (5, 10), (12, 0)], [(77, 0)]]
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, MemoryState())
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})
    told = []
    for n, each in enumerate(minutes):
        cells = tuple(
            Cell("i1", "", SPRING + end * PANE, 0, 1, None, since and SPRING + since * PANE)
            for end, since in each
        )
        newest_ms = cells[-1].pane_end_ms + LATENESS_MS + 1
        range_ = Range("requests/0", 1, n, n + 1, newest_ms, cells=cells)
        evaluator.apply(CountsMessage(0, (claim,), (range_,)), n)
        [status] = evaluator.statuses(newest_ms)
        told.append((status.good, status.total))
    assert told == [(1, 1), (4, 4), (0, 1)]


def test_a_status_is_of_the_period_that_has_begun() -> None:
    """At 00:03 no slice of five minutes of the day is complete, and yesterday's do not count."""
    midnight = SPRING + 22 * HOUR_MS  # in Berlin
    length = 5 * MINUTE_MS
    indicator = Indicator("i1", "request", "shop", "", "good", pane_ms=PANE, slice_ms=length)
    slices = TimeSlices(length, Fraction(4, 5))
    objective = Objective("objective-1", indicator, Fraction(9, 10), (), slices)
    day = Calendar(MONDAY, "Europe/Berlin", 1, "d", BERLIN)
    slo = Slo("shop-ok", "shop", DAY_MS, (objective,), "d1", calendar=day)
    ends = (midnight - HOUR_MS, midnight + 3 * PANE)
    cells = tuple(Cell("i1", "", end, 0, 1) for end in ends)
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, MemoryState())
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})
    range_ = Range("requests/0", 1, 0, 2, ends[-1] + LATENESS_MS + 1, cells=cells)
    evaluator.apply(CountsMessage(0, (claim,), (range_,)), 0)
    totals = [evaluator.statuses(at)[0].total for at in (ends[-1], midnight + length)]
    assert totals == [0, 1]
