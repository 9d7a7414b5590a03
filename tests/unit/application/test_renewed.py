"""An evaluator that is made anew between two messages goes on as if nothing had happened."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.definitions import Definitions
from servicelevel.application.evaluate import Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.application.pieces import at_once
from servicelevel.application.renewed import RenewedEvaluator
from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import Status, Transition
from servicelevel.domain.time import MINUTE_MS
from tests.builders.histories import T0, histories, logs
from tests.unit.application.evaluate.test_evaluator_properties import (
    INDICATOR,
    PANE,
    POLICY,
    SLO,
)

OBJECTIVE = replace(SLO.objectives[0], indicator=replace(INDICATOR, good="status_code < 500"))
CATALOGUE = Catalogue.of([replace(SLO, objectives=(OBJECTIVE,))])


def catalogue(target: Fraction, digest: str) -> Catalogue:
    """The objective with another target, under another digest."""
    objective = replace(OBJECTIVE, target=target)
    return Catalogue.of([replace(SLO, objectives=(objective,), digest=digest)])


class World:
    """An evaluator over definitions that may change."""

    def __init__(self, first: Catalogue = CATALOGUE) -> None:
        self.state = MemoryState()
        self.definitions = Definitions(first, 1)
        self.made = 0
        self.evaluator = RenewedEvaluator(self.definitions, self._make)
        self._offset = -1

    def _make(self, of: Catalogue) -> Evaluator:
        self.made += 1
        return Evaluator(of, POLICY, self.state)

    def apply(self, message: CountsMessage) -> list[Status | Transition]:
        self._offset += 1
        return list(at_once(self.evaluator.steps(message, self._offset)))

    def change_to(self, other: Catalogue) -> None:
        self.definitions.change_to(Definitions(other, 1))

    def told(self) -> None:
        self.evaluator.told(self._offset)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_made_anew_after_any_messages_it_decides_and_stores_the_same(data: st.DataObject) -> None:
    messages, _ = data.draw(logs(data.draw(histories())))
    plain, renewed = World(), World()
    for message in messages:
        if data.draw(st.booleans()):
            renewed.definitions.catalogue = Catalogue.of(CATALOGUE.slos.values())
        assert renewed.apply(message) == plain.apply(message)
        if data.draw(st.booleans()):
            plain.told()
            renewed.told()
    assert dict(renewed.state.scan()) == dict(plain.state.scan())
    assert renewed.evaluator.next_offset == plain.evaluator.next_offset == len(messages)


def failing(world: World, minute: int, good: int = 0) -> list[Status | Transition]:
    """A minute of ten events, and the watermark past it."""
    end = T0 + minute * MINUTE_MS
    cell = Cell("i1", "", end, good, 10)
    at = end + PANE + POLICY.allowed_lateness_ms + 1
    applied = minute * 10
    return world.apply(
        CountsMessage(0, (), (Range("requests/0", 1, applied - 10, applied, at, cells=(cell,)),))
    )


def claimed(first: Catalogue) -> World:
    world = World(first)
    world.apply(CountsMessage(0, (Claim("requests/0", 1, "me", 0, {"requests": 1}),)))
    return world


def test_counters_outlive_another_target_and_outputs_name_who_decided() -> None:
    strict, loose = catalogue(Fraction(9, 10), "strict"), catalogue(Fraction(0), "loose")
    world = claimed(strict)
    told = failing(world, 1)
    raised = [o for o in told if isinstance(o, Transition)]
    assert {o.state.value for o in raised} == {"raised"}
    assert {o.definition_digest for o in told} == {"strict"}

    world.change_to(loose)
    told = failing(world, 2)

    assert world.made == 2
    assert {o.definition_digest for o in told} == {"loose"}
    resolved = [o for o in told if isinstance(o, Transition)]
    assert {(o.alert_id, o.state.value) for o in resolved} == {
        (o.alert_id, "resolved") for o in raised
    }
    assert [o.total for o in told if isinstance(o, Status)] == [20]


def test_what_was_decided_before_is_told_again_after_a_crash_as_it_was() -> None:
    world = claimed(catalogue(Fraction(9, 10), "strict"))
    before = [o for o in failing(world, 1) if isinstance(o, Transition)]
    world.change_to(catalogue(Fraction(8, 10), "other"))
    failing(world, 2)

    after_crash = RenewedEvaluator(world.definitions, lambda of: Evaluator(of, POLICY, world.state))
    pending = [o for o in after_crash.pending() if o.definition_digest == "strict"]
    assert pending == before


def test_what_was_told_is_remembered_when_it_is_made_anew() -> None:
    """Else it would stay stored, and be told again after a crash much later."""
    world = claimed(catalogue(Fraction(9, 10), "strict"))
    assert [o for o in failing(world, 1) if isinstance(o, Transition)]
    world.told()
    world.change_to(catalogue(Fraction(8, 10), "other"))
    failing(world, 2)

    after_crash = Evaluator(world.definitions.catalogue, POLICY, world.state)
    assert [o for o in after_crash.pending() if o.definition_digest == "strict"] == []


def test_an_objective_that_is_gone_and_comes_back_has_kept_its_counts() -> None:
    world = claimed(CATALOGUE)
    failing(world, 1, good=10)
    other = Catalogue.of([replace(CATALOGUE.slos[SLO.name], name="another", digest="d2")])
    world.change_to(other)
    failing(world, 2, good=10)
    world.change_to(CATALOGUE)
    told = failing(world, 3, good=10)
    assert [(o.slo, o.good, o.total) for o in told if isinstance(o, Status)] == [
        ("shop-ok", 30, 30)
    ]
