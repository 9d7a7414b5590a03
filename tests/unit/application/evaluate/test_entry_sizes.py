"""Every stored entry fits into a message of a broker, whatever the events say.

An entry that does not fit can never be written: the evaluator would end at it again and again.
"""

import json

import pytest

from servicelevel.application.cells import MAX_DIMENSIONS
from servicelevel.application.evaluate import Evaluator
from servicelevel.application.groups import value_text
from servicelevel.application.memory_state import MemoryState
from servicelevel.bootstrap import evaluation_policy
from servicelevel.domain.counts import BadEvidence, Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.time import DAY_MS, MINUTE_MS
from servicelevel.settings import Settings
from tests.unit.application.evaluate.test_evaluator_properties import RULES, TARGET

T0 = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MAX_MESSAGE_BYTES = 1_000_000  # a broker's default is 1,048,588, with key and headers


def stored_sizes(pane_ms: int, operation: str) -> dict[str, int]:
    """Bytes of each entry after 15 minutes of failures, each pane's of operations of its own."""
    indicator = Indicator("i1", "request", "shop", "", "good", pane_ms=pane_ms)
    objective = Objective("objective-1", indicator, TARGET, RULES)
    slo = Slo("shop-ok", "shop", 5 * DAY_MS, (objective,), "d1")
    state = MemoryState()
    evaluator = Evaluator(Catalogue.of([slo]), evaluation_policy(Settings()), state)
    cells = [
        Cell("i1", "", end, 0, MAX_DIMENSIONS, failures(end, operation))
        for end in range(T0 + pane_ms, T0 + 15 * MINUTE_MS + 1, pane_ms)
    ]
    claim = Claim("requests/0", 1, "t", 0, {"requests": 1})
    for offset, cell in enumerate(cells):
        range_ = Range("requests/0", 1, offset, offset + 1, cell.pane_end_ms, cells=(cell,))
        evaluator.apply(CountsMessage(0, (claim,) if offset == 0 else (), (range_,)), offset)
    return {
        key: len(json.dumps([e.offset, e.value], ensure_ascii=False).encode())
        for key, e in state.scan()
    }


def failures(end_ms: int, operation: str) -> BadEvidence:
    dimensions = {
        f"operation={value_text(f'{n} {end_ms} {operation}')}": 1 for n in range(MAX_DIMENSIONS)
    }
    return BadEvidence({"requests/0": (0, 1)}, dimensions)


@pytest.mark.parametrize(
    ("pane_ms", "operation"),
    [
        (10_000, "GET /products/4711"),
        (10_000, "/x" * 200),
        (10_000, "商品" * 200),
        (10_000, '"' * 400),
        (1_000, "GET /products/4711"),
    ],
)
def test_an_entry_fits_into_a_message(pane_ms: int, operation: str) -> None:
    assert max(stored_sizes(pane_ms, operation).values()) <= MAX_MESSAGE_BYTES
