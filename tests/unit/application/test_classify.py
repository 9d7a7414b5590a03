"""One table of looks for all services, or one for each: the outcomes are the same."""

import tracemalloc
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.classify import KindPlan, Plan
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.schemas.events import Event

GOOD = [
    "status_code < 500",
    "status_code < 400 || duration_ms < 250",
    "duration_ms < 250.5",
    "operation in ['get', 'put']",
    "has(operation) && status_code != 404",
]
EVENTS = st.lists(
    st.builds(
        Event,
        service=st.sampled_from(["a", "b", "c", "d"]),
        time=st.just(0),
        operation=st.sampled_from([None, "get", "post"]),
        status_code=st.sampled_from([None, 200, 404, 503]),
        duration_ms=st.sampled_from([None, 0.0, 250.0, 250.25, 1e9]),
    ),
    max_size=40,
)


def plan(found: Sequence[Indicator], max_remembered: int = 200_000) -> KindPlan:
    slos = [
        Slo(i.id, "home", 86_400_000, (Objective("o", i, Fraction(9, 10), ()),), "d") for i in found
    ]
    return Plan(Catalogue.of(slos), 1, max_remembered=max_remembered).kind("request")


def indicator(name: str, service: str, good: str, *group_by: str) -> Indicator:
    return Indicator(name, "request", service, "", good, group_by)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "*"]), st.sampled_from(GOOD)), max_size=5),
    st.booleans(),
    EVENTS,
    st.integers(1, 8),
)
def test_each_event_has_the_outcome_that_its_indicators_say(
    chosen: list[tuple[str, str]], apart: bool, events: list[Event], max_remembered: int
) -> None:
    found = [indicator(f"i{n}", *each) for n, each in enumerate(chosen)]
    if apart:
        found.append(indicator("grouped", "c", "", "region"))
    judge = plan(found, max_remembered)
    assert judge.is_shared is not (apart and bool(chosen))
    for event, outcome in zip(events, judge.outcomes(events), strict=True):
        judged = judge.services.get(event.service) or judge.services.get("*")
        assert outcome.service == event.service
        assert outcome.is_known is (judged is not None)
        answers = {
            each.indicator.id: each.judge(event) for each in (judged.indicators if judged else ())
        }
        assert {s.compiled.indicator.id for s in outcome.good} == {
            name for name, answer in answers.items() if answer is True
        }
        assert {s.compiled.indicator.id for s in outcome.bad} == {
            name for name, answer in answers.items() if answer is False
        }


@pytest.mark.parametrize(("thresholds", "together"), [(1, True), (40, True), (400, False)])
def test_services_share_a_table_unless_it_would_be_much_larger_than_theirs(
    thresholds: int, together: bool
) -> None:
    """100 services, and of each some thresholds that no other has."""
    found = [indicator(f"i{n}", f"s{n % 100}", f"duration_ms < {n + 1}") for n in range(thresholds)]
    assert plan(found).is_shared is together


def test_long_texts_do_not_fill_the_memory() -> None:
    counted = plan([indicator("i", "a", "", "region")], max_remembered=2_000)
    tracemalloc.start()
    try:
        for n in range(300):
            attributes = {"region": f"{n}" + "x" * 10_000}
            outcomes = counted.outcomes([Event(service="a", time=0, attributes=attributes)])
            assert outcomes[0].good[0].group.startswith(f"region={n}x")
        del attributes, outcomes
        assert tracemalloc.get_traced_memory()[0] < 500_000  # of the 3,000,000 that were there
    finally:
        tracemalloc.stop()
