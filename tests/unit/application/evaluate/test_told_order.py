"""Outputs are told in the order they were decided in, also after a crash."""

from collections.abc import Sequence
from fractions import Fraction

from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output, Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE_MS = 10_000
RULES = (
    pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction(5), Severity.PAGE),
    pair("3d/6h", 3 * DAY_MS, 6 * HOUR_MS, Fraction(1), Severity.TICKET),
)


class Log:
    """Feeds one source to an evaluator, a message a call; `at` names its highest time in panes."""

    def __init__(self) -> None:
        self.state = MemoryState()
        self.offset = 0
        claim = Claim("requests/0", 1, "t", 0, {"requests": 1})
        self.evaluator = self.start()
        self.evaluator.apply(CountsMessage(0, (claim,)), 0)

    def start(self) -> Evaluator:
        objective = Objective(
            "all", Indicator("i1", "request", "shop", "", "good"), Fraction(9, 10), RULES
        )
        slo = Slo("shop-ok", "shop", 30 * DAY_MS, (objective,), "d1")
        return Evaluator(Catalogue.of([slo]), EvaluationPolicy(shipped_ladder()), self.state)

    def feed(self, at: int, *cells: tuple[int, int, int]) -> list[str]:
        """Cells are (pane, good, total)."""
        self.offset += 1
        counted = tuple(Cell("i1", "", T0 + n * PANE_MS, g, t) for n, g, t in cells)
        range_ = Range(
            "requests/0", 1, self.offset - 1, self.offset, T0 + at * PANE_MS + 1, cells=counted
        )
        return states(self.evaluator.apply(CountsMessage(0, (), (range_,)), self.offset))


def states(outputs: Sequence[Output]) -> list[str]:
    found = [o for o in outputs if isinstance(o, Transition) and o.kind == "warning"]
    return [f"{t.state}{' early' if t.early else ''} {t.severity}" for t in found]


def test_an_early_escalation_and_its_taking_back_are_told_in_that_order_after_a_crash() -> None:
    log = Log()
    assert log.feed(3, (1, 80, 100)) == ["raised ticket"]
    log.evaluator.told(log.offset)

    told = [*log.feed(6, (6, 0, 200)), *log.feed(9, (6, 1000, 1000))]

    assert told == ["escalated early page", "deescalated early ticket"]
    assert states(log.start().pending()) == told
