"""An entry fits into a message of a broker, in whatever order a day of late events comes."""

import orjson

from servicelevel.adapters.faust.changelog import MAX_BATCH_BYTES
from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.time import DAY_MS
from tests.unit.application.evaluate.test_evaluator_properties import RULES, TARGET

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE_MS = 10_000


class Sizes(MemoryState):
    largest = 0

    def put(self, key: str, offset: int, value: object) -> None:
        super().put(key, offset, value)
        self.largest = max(self.largest, len(orjson.dumps([offset, value])))


def test_a_day_of_late_events_that_come_in_any_order_for_a_quarter_of_an_hour() -> None:
    indicator = Indicator("i1", "request", "shop", "", "good")
    slo = Slo("ok", "shop", 5 * DAY_MS, (Objective("all", indicator, TARGET, RULES),), "d1")
    state = Sizes()
    evaluator = Evaluator(Catalogue.of([slo]), EvaluationPolicy(shipped_ladder()), state)
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})
    for n in range(91):
        now = T0 + 3 * DAY_MS + n * PANE_MS
        cells = [Cell("i1", "", now, 1, 1)]
        cells += [
            Cell("i1", "", T0 + DAY_MS + k * 300_000, 1, 1, None, now) for k in range(1, 289) if n
        ]
        range_ = Range("requests/0", 1, n, n + 1, now, cells=tuple(cells))
        evaluator.apply(CountsMessage(0, (claim,) if n == 0 else (), (range_,)), n)
    assert state.largest < MAX_BATCH_BYTES
