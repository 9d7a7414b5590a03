"""A composite is the mean of its parts' SLIs by their weights, exact, in every window."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Composite, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output, Status, Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import TimeSlices
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE = 10_000
RULE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction(2), Severity.PAGE)
SHOP = Objective("shop", Indicator("a", "request", "shop", "", "good"), Fraction(99, 100), ())
CART = Objective("cart", Indicator("b", "request", "cart", "", "good"), Fraction(9, 10), ())
COMPOSITE = Composite("composite", (Fraction(3), Fraction(1)), Fraction(387, 400), (RULE,))
SLO = Slo("journey", "shop", DAY_MS, (SHOP, CART), "d", composite=COMPOSITE)
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=0, early=False)


def told(slo: Slo, cells: list[Cell], end: int) -> list[Output]:
    evaluator = Evaluator(Catalogue.of([slo]), POLICY, MemoryState())
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})
    range_ = Range("requests/0", 1, 0, 1, end + 1, cells=tuple(cells))
    return evaluator.apply(CountsMessage(0, (claim,), (range_,)), 0)


def of(outputs: list[Output], objective: str) -> Status:
    return next(o for o in outputs if isinstance(o, Status) and o.objective == objective)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 20), st.integers(0, 20)), max_size=20),
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 20), st.integers(0, 20)), max_size=20),
)
def test_a_mean_by_weights(
    shop: list[tuple[int, int, int]], cart: list[tuple[int, int, int]]
) -> None:
    cells = [
        Cell(name, "", T0 + pane * PANE, good, good + bad)
        for name, each in (("a", shop), ("b", cart))
        for pane, good, bad in each
        if good + bad
    ]
    if not cells:
        return
    outputs = told(SLO, cells, T0 + 300 * PANE)
    ratios = []
    for name, weight in (("a", 3), ("b", 1)):
        mine = [cell for cell in cells if cell.indicator == name]
        if mine:
            good, total = sum(c.good for c in mine), sum(c.total for c in mine)
            ratios.append((Fraction(good, total), weight))
    mean = sum((r * w for r, w in ratios), Fraction(0)) / sum(w for _, w in ratios)
    status = of(outputs, "composite")
    assert status.sli == float(mean)
    assert status.total == sum(cell.total for cell in cells)
    assert status.good == mean * status.total
    assert status.remaining_ratio == float(1 - (1 - mean) / (1 - COMPOSITE.target))


def test_only_the_composite_alerts() -> None:
    cells = [Cell("a", "", T0 + PANE, 100, 100), Cell("b", "", T0 + PANE, 0, 100)]
    outputs = told(SLO, cells, T0 + PANE)
    alerts = [o for o in outputs if isinstance(o, Transition)]
    assert {(o.objective, o.kind, o.state.value) for o in alerts} == {
        ("composite", "warning", "raised"),
        ("composite", "breach", "raised"),
    }
    # a quarter of the weight fails whole: 0.25 / (1 - 0.9675)
    assert {o.burn_rate_long for o in alerts} == {float(Fraction(1, 4) / (1 - Fraction(387, 400)))}
    assert of(outputs, "cart").state == "breached"
    assert of(outputs, "shop").state == "ok"


def test_parts_may_be_judged_in_units_of_their_own() -> None:
    slices = TimeSlices(5 * MINUTE_MS, Fraction(1, 2))
    sliced = Indicator("b", "request", "cart", "", "good", slice_ms=5 * MINUTE_MS)
    cart = Objective("cart", sliced, Fraction(9, 10), (), slices)
    slo = Slo("journey", "shop", DAY_MS, (SHOP, cart), "d", composite=COMPOSITE)
    cells = [Cell("a", "", T0 + PANE, 9, 10)]
    cells += [Cell("b", "", T0 + n * 5 * MINUTE_MS, n % 2, 1) for n in range(1, 5)]
    outputs = told(slo, cells, T0 + 22 * MINUTE_MS)
    status = of(outputs, "composite")
    assert status.sli == float((3 * Fraction(9, 10) + Fraction(1, 2)) / 4)
    assert status.at_ms == T0 + 20 * MINUTE_MS


def test_a_composite_and_what_shares_its_indicators_live_in_one_partition() -> None:
    alone = Slo("cart-alone", "cart", DAY_MS, (CART,), "d")
    for slos in ([SLO, alone], [alone, SLO]):
        homes = Catalogue.of(slos).indicators()
        assert {home for _, home in homes.values()} == {"cart"}
