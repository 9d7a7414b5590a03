"""What is told early, by rules of every kind: whoever heeds it ends with what is told on time."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Composite, Indicator, Objective, Slo
from servicelevel.domain.outputs import Transition
from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Exhaustion,
    LowTraffic,
    NoData,
    Rule,
    pair,
)
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import RateSlices, RatioSlices, Slices, TimeSlices
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, floor_to, pane_end
from tests.builders.histories import LATENESS_MS, T0, histories, logs
from tests.builders.ladder import LADDER

PANE = 10_000
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=LATENESS_MS)
FAST = (BurnRate(10 * MINUTE_MS, Fraction(4)), BurnRate(MINUTE_MS, Fraction(4)))
RULES = (
    pair("pair", 10 * MINUTE_MS, MINUTE_MS, Fraction(5), Severity.PAGE),
    Rule("spent", BudgetSpent(Fraction(3, 4)), Severity.PAGE),
    Rule("all", All((*FAST, BudgetSpent(Fraction(1, 2)))), Severity.PAGE),
    Rule("any", AnyOf((FAST[1], NoData(20 * MINUTE_MS))), Severity.TICKET),
    Rule("forecast", Exhaustion(HOUR_MS, 10 * MINUTE_MS), Severity.TICKET),
    Rule("weighted", BurnRate(2 * MINUTE_MS, Fraction(3), weighted=True), Severity.TICKET),
    Rule(
        "few are quieter",
        All(FAST),
        Severity.PAGE,
        low_traffic=LowTraffic(min_events=40, severity=Severity.INFO),
    ),
    Rule("few are nothing", FAST[1], Severity.PAGE, low_traffic=LowTraffic(min_failures=6)),
    Rule("after", FAST[1], Severity.PAGE, after_ms=20_000),
    Rule(
        "lasting",
        All(FAST),
        Severity.TICKET,
        clear_ratio=Fraction(1, 2),
        clear_after_ms=40_000,
    ),
)
SLICES: tuple[Slices, ...] = (
    TimeSlices(MINUTE_MS, Fraction(4, 5)),
    RatioSlices(MINUTE_MS),
    RateSlices(5 * MINUTE_MS, "gte", Fraction(6)),
)


def slo_of(objectives: Sequence[Objective], rules: tuple[Rule, ...]) -> Slo:
    """With more than one objective a composite, which alone alerts."""
    if len(objectives) == 1:
        return Slo("shop-ok", "shop", 5 * HOUR_MS, (replace(objectives[0], rules=rules),), "d")
    weights = tuple(Fraction(n) for n in range(1, len(objectives) + 1))
    composite = Composite("composite", weights, Fraction(9, 10), rules)
    return Slo("shop-ok", "shop", 5 * HOUR_MS, tuple(objectives), "d", composite=composite)


@st.composite
def objectives(draw: st.DrawFn, *, sliced: bool) -> list[Objective]:
    found = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        slices = draw(st.sampled_from(SLICES)) if sliced and number == 1 else None
        indicator = Indicator(
            f"i{number}",
            "request",
            "shop",
            "",
            "good",
            pane_ms=draw(st.sampled_from([PANE, MINUTE_MS])),
            slice_ms=slices.length_ms if slices else 0,
        )
        no_data = draw(st.sampled_from(["ignore", "good", "bad"]))
        found.append(Objective(f"o{number}", indicator, Fraction(9, 10), (), slices, no_data))
    return found


def rules() -> st.SearchStrategy[tuple[Rule, ...]]:
    return st.lists(st.sampled_from(RULES), min_size=1, unique=True).map(tuple)


@st.composite
def told(draw: st.DrawFn, slo: Slo) -> list[tuple[list[Transition], int]]:
    """What is told at each message, and up to when panes are judged then; the last is late."""
    messages, _ = draw(logs(draw(histories())))
    panes = [objective.indicator.pane_ms for objective in slo.objectives]
    last = messages[-1].ranges
    end = [replace(r, start=r.end, max_time_ms=(r.max_time_ms or 0) + DAY_MS) for r in last]
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, MemoryState())
    found = []
    for offset, message in enumerate([*messages, CountsMessage(0, (), tuple(end))]):
        ranges = tuple(replace(r, cells=_spread(draw, r.cells, slo)) for r in message.ranges)
        outputs = evaluator.apply(replace(message, ranges=ranges), offset)
        judged_ms = floor_to(evaluator.watermark_ms or 0, lcm(*panes))
        found.append(([o for o in outputs if isinstance(o, Transition)], judged_ms))
    return found


def _spread(draw: st.DrawFn, cells: Iterable[Cell], slo: Slo) -> tuple[Cell, ...]:
    """The same cells, each of any of the SLO's indicators."""
    found = []
    for cell in cells:
        indicator = draw(st.sampled_from(slo.objectives)).indicator
        end = pane_end(cell.pane_end_ms, indicator.pane_ms)
        since = pane_end(cell.revision_ms, indicator.pane_ms)
        found.append(
            cell._replace(
                indicator=indicator.id, pane_end_ms=end, revision_ms=since if since > end else 0
            )
        )
    return tuple(found)


def heeded(told: Iterable[Transition]) -> dict[tuple[str, str], Severity]:
    """The alerts that are open, with their severities, to someone who heeds all of this."""
    found: dict[tuple[str, str], Severity] = {}
    for each in told:
        key = (each.kind, each.alert_id)
        if each.state in ("resolved", "retracted"):
            found.pop(key, None)
        else:
            found[key] = each.severity
    return found


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_who_heeds_what_is_told_early_ends_with_what_is_told_on_time(data: st.DataObject) -> None:
    slo = slo_of(data.draw(objectives(sliced=False)), data.draw(rules()))

    so_far: list[Transition] = []
    for outputs, judged_ms in data.draw(told(slo)):
        so_far += outputs
        for kind in ("warning", "breach"):
            mine = [o for o in so_far if o.kind == kind]
            early = [o for o in mine if o.early and o.state != "retracted"]
            if all(o.at_ms <= judged_ms for o in early):
                assert heeded(mine) == heeded(o for o in mine if not o.early)
    assert len({o.id for o in so_far}) == len(so_far)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_nothing_is_told_early_of_slices(data: st.DataObject) -> None:
    slo = slo_of(data.draw(objectives(sliced=True)), data.draw(rules()))

    assert not [o for outputs, _ in data.draw(told(slo)) for o in outputs if o.early]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("parts", [1, 2])
def test_a_rule_of_any_kind_is_told_early_and_confirmed(rule: Rule, parts: int) -> None:
    each = [
        Objective(f"o{n}", Indicator(f"i{n}", "request", "shop", "", "good"), Fraction(9, 10), ())
        for n in range(1, parts + 1)
    ]
    evaluator = Evaluator(Catalogue.of([slo_of(each, (rule,))]), POLICY, MemoryState())
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})
    raised = []
    for number, end in enumerate(range(T0 + PANE, T0 + 30 * PANE, PANE)):
        good = 20 if number < 10 else 0
        cells = tuple(Cell(o.indicator.id, "", end, good, 20) for o in each)
        message = CountsMessage(
            0, (claim,), (Range("requests/0", 1, number, number + 1, end, cells=cells),)
        )
        outputs = evaluator.apply(message, number)
        raised += [o for o in outputs if isinstance(o, Transition) and o.kind == "warning"]

    first, *rest = raised
    assert (first.state, first.early) == ("raised", True)
    confirmed = next(o for o in rest if not o.early)
    assert (confirmed.state, confirmed.alert_id, confirmed.at_ms) == (
        "raised",
        first.alert_id,
        first.at_ms,
    )
    assert "retracted" not in {o.state for o in rest}
