"""The alert's state machine, transition by transition."""

from servicelevel.domain.alerts import Alert, Condition, Identity
from servicelevel.domain.severity import Severity

IDENTITY = Identity("warning", "slo", "objective-1", "")
PAGE = Condition("1h/5m", Severity.PAGE)
OTHER_PAGE = Condition("6h/30m", Severity.PAGE)
TICKET = Condition("3d/6h", Severity.TICKET)


def told(alert: Alert, *conditions: Condition | None) -> list[str]:
    steps = [s for at, c in enumerate(conditions, 1) for s in alert.on_time(c, at * 10)]
    return [f"{s.state}@{s.at_ms}:{s.alert.severity}:{s.alert.rule}" for s in steps]


def test_raised_escalated_deescalated_resolved() -> None:
    assert told(Alert(IDENTITY), None, TICKET, PAGE, TICKET, None, None) == [
        "raised@20:ticket:3d/6h",
        "escalated@30:page:1h/5m",
        "deescalated@40:ticket:3d/6h",
        "resolved@50:ticket:3d/6h",
    ]


def test_another_rule_of_the_same_severity_is_no_transition() -> None:
    assert told(Alert(IDENTITY), PAGE, OTHER_PAGE, None) == [
        "raised@10:page:1h/5m",
        "resolved@30:page:1h/5m",
    ]


def test_the_alert_id_stays_until_the_end_and_is_another_the_next_time() -> None:
    alert = Alert(IDENTITY)
    steps = [s for at, c in enumerate([PAGE, None, PAGE], 1) for s in alert.on_time(c, at * 10)]

    ids = [step.alert.alert_id for step in steps]

    assert ids[0] == ids[1] != ids[2]
    assert len({step.id for step in steps}) == 3


def test_the_alert_id_derives_from_what_happened() -> None:
    assert IDENTITY.alert_id("1h/5m", 10) == IDENTITY.alert_id("1h/5m", 10)
    others = [
        Identity("breach", "slo", "objective-1", ""),
        Identity("warning", "slo2", "objective-1", ""),
        Identity("warning", "slo", "objective-2", ""),
        Identity("warning", "slo", "objective-1", "region=eu"),
    ]
    ids = {identity.alert_id("1h/5m", 10) for identity in [IDENTITY, *others]}
    assert len(ids | {IDENTITY.alert_id("1h/5m", 20), IDENTITY.alert_id("6h/30m", 10)}) == 7


def test_an_early_raise_is_confirmed_by_the_same_alert_id() -> None:
    alert = Alert(IDENTITY)
    (early,) = alert.ahead_of_time(PAGE, 10)

    (confirmed,) = alert.on_time(PAGE, 10)

    assert early.early
    assert not confirmed.early
    assert early.alert == confirmed.alert
    assert early.id == confirmed.id + ".early"
    assert alert.early is None


def test_an_early_raise_that_the_pane_does_not_bear_out_is_retracted() -> None:
    alert = Alert(IDENTITY)
    (early,) = alert.ahead_of_time(PAGE, 10)

    (retracted,) = alert.on_time(None, 10)

    assert (retracted.state, retracted.alert.alert_id) == ("retracted", early.alert.alert_id)
    assert retracted.early
    assert alert.current is None


def test_an_early_raise_for_a_later_pane_waits_for_it() -> None:
    alert = Alert(IDENTITY)
    alert.ahead_of_time(PAGE, 20)

    assert alert.on_time(None, 10) == []
    assert [s.state for s in alert.on_time(PAGE, 20)] == ["raised"]


def test_an_early_raise_gives_way_to_an_alert_raised_before_its_pane() -> None:
    alert = Alert(IDENTITY)
    (early,) = alert.ahead_of_time(PAGE, 20)

    steps = [*alert.on_time(TICKET, 10), *alert.on_time(TICKET, 20)]

    assert [s.state for s in steps] == ["retracted", "raised"]
    assert steps[0].alert.alert_id == early.alert.alert_id != steps[1].alert.alert_id
    assert alert.current == steps[-1].alert


def test_an_early_escalation_that_came_sooner_is_not_taken_back() -> None:
    alert = Alert(IDENTITY)
    alert.on_time(TICKET, 10)
    alert.ahead_of_time(PAGE, 30)

    assert [s.state for s in alert.on_time(PAGE, 20)] == ["escalated"]
    assert alert.on_time(PAGE, 30) == []


def test_nothing_is_told_early_twice() -> None:
    alert = Alert(IDENTITY)
    alert.ahead_of_time(TICKET, 10)

    assert alert.ahead_of_time(TICKET, 10) == []
    assert alert.ahead_of_time(TICKET, 20) == []


def test_what_gets_better_is_never_told_early() -> None:
    alert = Alert(IDENTITY)
    alert.on_time(PAGE, 10)

    assert alert.ahead_of_time(None, 20) == []
    assert alert.ahead_of_time(TICKET, 20) == []


def test_an_early_escalation_that_does_not_hold_is_taken_back_by_deescalation() -> None:
    alert = Alert(IDENTITY)
    alert.on_time(TICKET, 10)
    alert.ahead_of_time(PAGE, 20)

    (back,) = alert.on_time(TICKET, 20)

    assert (back.state, back.alert.severity, back.early) == ("deescalated", "ticket", True)


def test_an_early_escalation_that_resolves_instead_needs_no_taking_back() -> None:
    alert = Alert(IDENTITY)
    alert.on_time(TICKET, 10)
    alert.ahead_of_time(PAGE, 20)

    assert [(s.state, s.early) for s in alert.on_time(None, 20)] == [("resolved", False)]


def test_an_alert_survives_being_stored() -> None:
    alert = Alert(IDENTITY)
    alert.on_time(TICKET, 10)
    alert.ahead_of_time(PAGE, 20)

    loaded = Alert.load(IDENTITY, alert.dump())

    assert (loaded.current, loaded.early) == (alert.current, alert.early)
