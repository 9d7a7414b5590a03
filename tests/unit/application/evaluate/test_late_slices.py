"""An interval of a throughput holds the late events that came before it was complete."""

from fractions import Fraction

from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo, Throughput
from servicelevel.domain.time import DAY_MS, MINUTE_MS

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def test_a_late_event_counts_in_an_interval_that_is_not_complete() -> None:
    two_a_minute = Throughput(MINUTE_MS, "gte", Fraction(2))
    indicator = Indicator("i1", "request", "shop", "", "", throughput=two_a_minute)
    slo = Slo("busy", "shop", 30 * DAY_MS, (Objective("all", indicator, Fraction(1, 2), ()),), "d1")
    evaluator = Evaluator(Catalogue.of([slo]), EvaluationPolicy(shipped_ladder()), MemoryState())
    on_time = Cell("i1", "", T0 + 10_000, 1, 1)
    late = Cell("i1", "", T0 + 20_000, 1, 1, None, T0 + 40_000)
    too_late = Cell("i1", "", T0 + 30_000, 1, 1, None, T0 + 70_000)
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})

    evaluator.apply(
        CountsMessage(0, (claim,), (Range("requests/0", 1, 0, 1, T0 + 41_000, cells=(on_time,)),)),
        0,
    )
    evaluator.apply(
        CountsMessage(0, (), (Range("requests/0", 1, 1, 2, T0 + 42_000, cells=(late, too_late)),)),
        1,
    )
    evaluator.apply(CountsMessage(0, (), (Range("requests/0", 1, 2, 3, T0 + 80_000),)), 2)

    (status,) = evaluator.statuses(T0 + MINUTE_MS)
    assert (status.good, status.total) == (1, 1)
