"""Worked detection and reset times of burn-rate rules: 99.9 % over 30 days, uniform traffic.

An error ratio e that starts at 0 makes a rule of long window W and factor B hold after
(1 − T)/e · W · B; it stops holding S · (1 − B(1 − T)/e) after the errors end, S being its short
window. Both follow from the definitions of the Site Reliability Workbook, chapter 5. What is
expected is the first complete pane at which the burn rate is *greater* than the factor; a window
is up to one step of its resolution longer than W, which may delay it by a pane or two.
"""

from fractions import Fraction
from pathlib import Path

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Transition
from servicelevel.domain.rules import BurnRate, Rule, leaves, pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE = 10_000
PER_PANE = 1_000  # events: 100 a second, so that 0.1 % is a whole number
STEP = 5 * MINUTE_MS  # event time in one message
TARGET = Fraction(999, 1000)
PERCENT = Fraction(1, 100)

RULES = {
    "1h/5m": pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction("14.4"), Severity.PAGE),
    "6h/30m": pair("6h/30m", 6 * HOUR_MS, 30 * MINUTE_MS, Fraction(6), Severity.PAGE),
    "1d/2h": pair("1d/2h", DAY_MS, 2 * HOUR_MS, Fraction(3), Severity.TICKET),
    "3d/6h": pair("3d/6h", 3 * DAY_MS, 6 * HOUR_MS, Fraction(1), Severity.TICKET),
}
INDICATOR = Indicator("i1", "request", "shop", "", "status_code < 500")


def slo(*rules: Rule) -> Slo:
    objective = Objective("objective-1", INDICATOR, TARGET, rules)
    return Slo("shop-ok", "shop", 30 * DAY_MS, (objective,), "d1")


def cell(end_ms: int, events: int, bad: int = 0) -> Cell:
    return Cell(INDICATOR.id, "", end_ms, events - bad, events)


def history() -> list[Cell]:
    """30 good days, each pane as fine as its age asks for."""
    cells: list[Cell] = []
    end = T0
    while end > T0 - 30 * DAY_MS:
        length = LADDER.resolution_ms(T0 - end + 1)
        cells.append(cell(end, PER_PANE * length // PANE))
        end -= length
    return cells


class Traffic:
    """Feeds an evaluator: 30 good days, then what it is told."""

    def __init__(self, watched: Slo) -> None:
        policy = EvaluationPolicy(LADDER, allowed_lateness_ms=0, early=False)
        self._evaluator = Evaluator(Catalogue.of([watched]), policy, MemoryState())
        self._offset = -1
        self._now = T0
        self.told: list[Transition] = []
        self._send(history(), Claim("requests/0", 1, "t", 0, {"requests": 1}))

    def go(self, duration_ms: int, error_ratio: Fraction) -> None:
        """Uniform traffic for so long."""
        bad = error_ratio * PER_PANE
        assert bad.denominator == 1
        until = self._now + duration_ms
        while self._now < until:
            to = min(self._now + STEP, until)
            ends = range(self._now + PANE, to + 1, PANE)
            self._now = to
            self._send([cell(end, PER_PANE, int(bad)) for end in ends])

    def _send(self, cells: list[Cell], *claims: Claim) -> None:
        self._offset += 1
        at = self._offset
        range_ = Range("requests/0", 1, at, at + 1, self._now + 1, cells=tuple(cells))
        outputs = self._evaluator.apply(CountsMessage(0, claims, (range_,)), at)
        self.told += [o for o in outputs if isinstance(o, Transition) and o.kind == "warning"]

    def seconds(self) -> list[tuple[str, float]]:
        """(state, seconds after the errors began) of each transition."""
        return [(t.state.value, (t.at_ms - T0) / 1_000) for t in self.told]


def fires_after_s(rule: Rule, error_ratio: Fraction) -> Fraction:
    """The formula, in seconds."""
    return (1 - TARGET) / error_ratio * factor_of(rule) * Fraction(rule.windows_ms[0], 1_000)


def factor_of(rule: Rule) -> Fraction:
    """The burn rate that both windows must exceed."""
    leaf = next(leaves(rule.condition))
    assert isinstance(leaf, BurnRate)
    return leaf.factor


@pytest.mark.parametrize(
    ("percent", "rule", "minutes", "pane_end_s"),
    [
        ("100", "1h/5m", "0.864", 60),
        ("100", "6h/30m", "2.16", 130),
        ("100", "1d/2h", "4.32", 260),
        ("100", "3d/6h", "4.32", 260),
        ("15", "1h/5m", "5.76", 350),
        ("15", "6h/30m", "14.4", 870),
        ("15", "1d/2h", "28.8", 1_740),  # 1,730 is 23 panes into a step of 5 minutes
        ("15", "3d/6h", "28.8", 1_730),
        ("5", "1h/5m", "17.28", 1_040),
        ("5", "6h/30m", "43.2", 2_600),
        ("5", "1d/2h", "86.4", 5_190),
        ("5", "3d/6h", "86.4", 5_190),
        ("2", "1h/5m", "43.2", 2_600),
        ("2", "6h/30m", "108", 6_490),  # at 6,480 s the burn rate is 6: not greater than 6
        ("2", "1d/2h", "216", 12_980),  # at 12,970 s: 25,940 failed, 3 · 8,647 are allowed
        ("2", "3d/6h", "216", 12_970),
        ("1", "6h/30m", "216", 12_970),
        ("1", "1d/2h", "432", 25_980),
        ("1", "3d/6h", "432", 25_940),
        ("0.6", "1d/2h", "720", 43_210),
        ("0.6", "3d/6h", "720", 43_210),
        ("0.2", "3d/6h", "2160", 129_610),
    ],
)
def test_fires_when_the_formula_says(
    percent: str, rule: str, minutes: str, pane_end_s: int
) -> None:
    ratio = Fraction(percent) * PERCENT
    derived_s = fires_after_s(RULES[rule], ratio)
    assert derived_s == Fraction(minutes) * 60
    step_ms = LADDER.resolution_ms(RULES[rule].windows_ms[0])
    latest_s = derived_s * (1 + Fraction(step_ms, RULES[rule].windows_ms[0])) + PANE // 1_000
    assert derived_s < pane_end_s <= latest_s

    traffic = Traffic(slo(RULES[rule]))
    traffic.go(pane_end_s * 1_000 + MINUTE_MS, ratio)

    assert traffic.seconds() == [("raised", pane_end_s)]


@pytest.mark.parametrize(
    ("percent", "rule"),
    [("1", "1h/5m"), ("0.6", "6h/30m"), ("0.3", "1d/2h"), ("0.2", "1d/2h"), ("0.1", "3d/6h")],
)
def test_a_burn_rate_that_only_reaches_the_factor_never_fires(percent: str, rule: str) -> None:
    traffic = Traffic(slo(RULES[rule]))
    traffic.go(RULES[rule].windows_ms[0] + HOUR_MS, Fraction(percent) * PERCENT)
    assert traffic.told == []


@pytest.mark.parametrize(
    ("rule", "minutes", "pane_end_s"),
    [
        ("1h/5m", "4.928", 300),
        ("6h/30m", "29.82", 1_790),
        ("1d/2h", "119.64", 7_200),  # a window of 2 hours moves in steps of a minute
        ("3d/6h", "359.64", 21_600),
    ],
)
def test_resets_when_the_formula_says(rule: str, minutes: str, pane_end_s: int) -> None:
    of = RULES[rule]
    derived_s = Fraction(of.windows_ms[-1], 1_000) * (1 - factor_of(of) * (1 - TARGET))
    assert derived_s == Fraction(minutes) * 60
    assert derived_s <= pane_end_s < derived_s + 60 + PANE // 1_000

    traffic = Traffic(slo(of))
    traffic.go(of.windows_ms[-1], Fraction(1))
    traffic.go(of.windows_ms[-1] + 10 * MINUTE_MS, Fraction(0))

    state, seconds = traffic.seconds()[-1]
    assert [state for state, _ in traffic.seconds()] == ["raised", "resolved"]
    assert (state, seconds) == ("resolved", of.windows_ms[-1] // 1_000 + pane_end_s)


@pytest.mark.parametrize(
    ("percent", "first", "rule", "seconds"),
    [
        ("100", "page", "1h/5m", 60),
        ("15", "page", "1h/5m", 350),
        ("5", "page", "1h/5m", 1_040),
        ("2", "page", "1h/5m", 2_600),
        ("1", "page", "6h/30m", 12_970),
        ("0.6", "ticket", "1d/2h", 43_210),
    ],
)
def test_the_tiers_that_ship_fire_in_this_order(
    percent: str, first: str, rule: str, seconds: int
) -> None:
    shipped = load_shipped_rules()
    assert shipped == tuple(RULES.values())
    traffic = Traffic(slo(*shipped))
    traffic.go(seconds * 1_000 + MINUTE_MS, Fraction(percent) * PERCENT)
    assert traffic.seconds() == [("raised", seconds)]
    assert (traffic.told[0].severity, traffic.told[0].rule) == (first, rule)


def load_shipped_rules() -> tuple[Rule, ...]:
    """The rules that an SLO of 99.9 % over 30 days without alert policies is given."""
    folder = Path(__file__).parents[2] / "golden" / "definitions" / "shop"
    found = load_definitions([folder]).catalogue.slos["checkout-availability"]
    return found.objectives[0].rules


def test_the_budget_left_is_what_the_bad_events_leave() -> None:
    traffic = Traffic(slo(RULES["1h/5m"]))
    traffic.go(10 * MINUTE_MS, Fraction(1))
    raised = traffic.told[0]
    bad = 6 * PER_PANE  # six panes of 100 %
    events = raised.total
    assert (raised.total - raised.good, raised.at_ms) == (bad, T0 + MINUTE_MS)
    assert raised.burn_rate_long == bad / (360 * PER_PANE) * 1_000
    assert raised.burn_rate_short == 6 / 30 * 1_000
    # 2 % of a month's budget pages: B · W / period = 14.4 · 1 h / 720 h
    assert raised.budget_remaining == pytest.approx(1 - bad / (events / 1_000))
    assert 1 - raised.budget_remaining == pytest.approx(0.02 * 60 / 51.84, rel=1e-3)
