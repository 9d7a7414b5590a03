"""A message handled in pieces comes to what it comes to at once, whatever is told between."""

from fractions import Fraction

from servicelevel.application.evaluate import Evaluator
from servicelevel.application.evaluate.policy import EvaluationPolicy
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import BadEvidence, Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import HOUR_MS, MINUTE_MS
from tests.builders.ladder import LADDER

BEGIN_MS = 1_767_225_600_000
PANE_MS = 10_000
GROUPS = 130  # more than two pieces
SOURCE = "requests/0"
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=PANE_MS)
CATALOGUE = Catalogue.of(
    [
        Slo(
            "slo",
            "shop",
            24 * HOUR_MS,
            (
                Objective(
                    "all",
                    Indicator("i", "request", "shop", "", "", group_by=("attributes.customer",)),
                    Fraction(9, 10),
                    (pair("1h/5m", HOUR_MS, 5 * MINUTE_MS, Fraction(2), Severity.PAGE),),
                ),
            ),
            "digest",
        )
    ]
)


def messages() -> list[CountsMessage]:
    """Every third group fails in every other message."""
    found = [CountsMessage(0, (Claim(SOURCE, 1, "me", 0, {"requests": 1}),))]
    for number in range(1, 7):
        end_ms = BEGIN_MS + number * PANE_MS
        cells = [
            Cell("i", f"customer={g}", end_ms, 20 - bad, 20, BadEvidence({SOURCE: (g, g)}, {}))
            for g in range(GROUPS)
            for bad in [15 * (g % 3 == 0 and number % 2 == 0)]
        ]
        range_ = Range(SOURCE, 1, number - 1, number, end_ms + 60_000, False, cells=tuple(cells))
        found.append(CountsMessage(0, (), (range_,)))
    return found


def test_pieces_come_to_the_same() -> None:
    whole, parted = MemoryState(), MemoryState()
    one, other = (Evaluator(CATALOGUE, POLICY, state) for state in (whole, parted))
    for offset, message in enumerate(messages()):
        expected = one.apply(message, offset)
        outputs, pieces = in_pieces(other, message, offset)
        assert outputs == expected
        assert pieces > 5 or not message.ranges
        one.told(offset)
    assert one.pending() == []
    assert dict(parted.scan()).keys() == dict(whole.scan()).keys()
    after_ms = BEGIN_MS + HOUR_MS
    recovered = Evaluator(CATALOGUE, POLICY, parted).statuses(after_ms)
    assert recovered == Evaluator(CATALOGUE, POLICY, whole).statuses(after_ms)


def in_pieces(
    evaluator: Evaluator, message: CountsMessage, offset: int
) -> tuple[list[Output], int]:
    """The outputs, and how many pieces it took; the message before is told after the third."""
    steps, pieces = evaluator.steps(message, offset), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            evaluator.told(offset)
            outputs: list[Output] = end.value
            return outputs, pieces
        pieces += 1
        if pieces == 3:
            evaluator.told(offset - 1)
