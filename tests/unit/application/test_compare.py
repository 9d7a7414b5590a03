"""What differs between two outcomes of the same events."""

from typing import Any

from servicelevel.application.compare import (
    Both,
    BudgetPair,
    Outcome,
    compare,
    episodes,
    total,
)
from servicelevel.domain.outputs import AlertState, Transition
from servicelevel.domain.severity import Severity
from tests.builders.outputs import status, transition

TICKET = Severity.TICKET


def raised(alert_id: str, at_ms: int, **changed: Any) -> Transition:
    return transition(alert_id=alert_id, at_ms=at_ms, raised_at_ms=at_ms, **changed)


def later(before: Transition, state: AlertState, at_ms: int, **changed: Any) -> Transition:
    whose = {
        name: getattr(before, name)
        for name in ("alert_id", "slo", "kind", "group", "objective", "severity", "raised_at_ms")
    }
    return transition(**{**whose, "state": state, "at_ms": at_ms, **changed})


def resolved(before: Transition, at_ms: int) -> Transition:
    return later(before, AlertState.RESOLVED, at_ms)


def test_an_episode_is_as_loud_as_it_became_and_ends_when_resolved() -> None:
    first = raised("a", 10, severity=TICKET, rule="6h/30m")
    louder = later(first, AlertState.ESCALATED, 20, severity=Severity.PAGE, rule="1h/5m")
    quieter = later(first, AlertState.DEESCALATED, 30, rule="6h/30m")

    (episode,) = episodes([first, louder, quieter, resolved(first, 40)])

    assert (episode.severity, episode.rule) == (Severity.PAGE, "1h/5m")
    assert (episode.raised_at_ms, episode.ended_at_ms) == (10, 40)


def test_what_was_told_early_does_not_count() -> None:
    early = raised("a", 10, early=True)
    back = later(early, AlertState.RETRACTED, 10, early=True)
    assert episodes([early, back]) == []
    assert compare(Outcome([early, back], []), Outcome([], [])) == []


def test_the_same_outcome_has_no_difference() -> None:
    first = raised("a", 10)
    outcome = Outcome([first, resolved(first, 20), raised("b", 30)], [status()])

    (only,) = compare(outcome, outcome)

    assert (only.pages, only.alerts) == (Both(2, 2), Both(2, 2))
    assert only.only_tried == only.only_against == ()
    assert only.budgets == (BudgetPair("main", "", -19.0, -19.0),)


def test_alerts_that_overlap_in_time_are_the_same_however_they_are_named() -> None:
    slow = raised("slow", 20)
    quick = raised("quick", 10)
    spike = raised("spike", 100)

    (only,) = compare(
        Outcome([slow, resolved(slow, 40)], []),
        Outcome([quick, resolved(quick, 30), spike, resolved(spike, 110)], []),
    )

    assert only.only_tried == ()
    assert [episode.alert_id for episode in only.only_against] == ["spike"]
    assert (only.pages, only.alerts) == (Both(1, 2), Both(1, 2))


def test_alerts_that_only_touch_or_are_of_another_track_are_not_the_same() -> None:
    before, after = raised("before", 10), raised("after", 20)
    for other in (after, raised("g", 10, group="region=eu"), raised("k", 10, kind="breach")):
        (only,) = compare(Outcome([before, resolved(before, 20)], []), Outcome([other], []))
        assert [episode.alert_id for episode in only.only_tried] == ["before"]
        assert [episode.alert_id for episode in only.only_against] == [other.alert_id]


def test_an_open_alert_overlaps_with_all_that_come_after() -> None:
    still, second = raised("still", 10), raised("second", 50)
    (only,) = compare(
        Outcome([still], []), Outcome([raised("x", 5), resolved(raised("x", 5), 9), second], [])
    )
    assert only.only_tried == ()
    assert [episode.alert_id for episode in only.only_against] == ["x"]


def test_pages_count_each_time_an_alert_becomes_one() -> None:
    ticket = raised("a", 10, severity=TICKET)
    up = later(ticket, AlertState.ESCALATED, 20, severity=Severity.PAGE)
    down = later(ticket, AlertState.DEESCALATED, 30)
    again = later(ticket, AlertState.ESCALATED, 40, severity=Severity.PAGE)

    (only,) = compare(Outcome([ticket], []), Outcome([ticket, up, down, again], []))

    assert (only.pages, only.alerts) == (Both(0, 2), Both(1, 1))


def test_slos_and_objectives_of_one_side_only_are_told_too() -> None:
    ours = [status(slo="a", remaining_ratio=0.5), status(slo="a", group="g", remaining_ratio=None)]
    theirs = [status(slo="a", remaining_ratio=0.25), status(slo="b", remaining_ratio=1.0)]

    first, second = compare(Outcome([raised("x", 1, slo="a")], ours), Outcome([], theirs))

    assert first.budgets == (BudgetPair("main", "", 0.5, 0.25), BudgetPair("main", "g", None, None))
    assert (second.slo, second.budgets) == ("b", (BudgetPair("main", "", None, 1.0),))
    assert total([first, second]) == (Both(1, 0), Both(1, 0))
