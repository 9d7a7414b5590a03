"""What one message decides fits into entries that a broker takes, however much that is."""

from fractions import Fraction

import orjson

from servicelevel.adapters.faust.changelog import MAX_BATCH_BYTES
from servicelevel.adapters.files.pane_ladder import shipped_ladder
from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import BadEvidence, Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PATH = "path=/" + "p" * 200
RULE = pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction(144, 10), Severity.PAGE)


def test_a_backlog_that_raises_and_resolves_all_the_time() -> None:
    """Four weeks of one event a minute, three of each 45 bad, are counted in one range."""
    indicator = Indicator("i1", "request", "shop", "", "good", group_by=("path",))
    slo = Slo(
        "shop-ok",
        "shop",
        30 * DAY_MS,
        (Objective("all", indicator, Fraction(999, 1000), (RULE,)),),
        "d1",
    )
    state = MemoryState()
    evaluator = Evaluator(Catalogue.of([slo]), EvaluationPolicy(shipped_ladder()), state)
    cells = []
    for minute in range(1, 28 * 24 * 60):
        bad = minute % 45 < 3
        evidence = BadEvidence({"requests/0": (minute, minute)}, {"status_code=500": 1})
        at = T0 + minute * MINUTE_MS
        cells.append(Cell("i1", PATH, at, 1 - bad, 1, evidence if bad else None))
    range_ = Range("requests/0", 1, 0, len(cells), T0 + 29 * DAY_MS, cells=tuple(cells))
    claim = Claim("requests/0", 1, "me", 0, {"requests": 1})

    told = evaluator.apply(CountsMessage(0, (claim,), (range_,)), 0)

    sizes = {key: len(orjson.dumps([e.offset, e.value])) for key, e in state.scan()}
    largest = max(sizes, key=sizes.__getitem__)
    assert sizes[largest] < MAX_BATCH_BYTES, largest

    recovered = Evaluator(Catalogue.of([slo]), EvaluationPolicy(shipped_ladder()), state)
    assert recovered.pending() == [o for o in told if isinstance(o, Transition)]

    recovered.told(0)
    cell = Cell("i1", PATH, T0 + 30 * DAY_MS, 0, 100, None)
    for offset in (1, 2):
        more = Range("requests/0", 1, len(cells), len(cells) + 1, T0 + 31 * DAY_MS, cells=(cell,))
        recovered.apply(CountsMessage(0, (), (more,)), offset)
    assert recovered.pending()
    assert not [key for key, _ in state.scan() if key.startswith("t/")]
