"""What an alert's explanation says, word for word."""

from fractions import Fraction
from textwrap import dedent

import pytest

from servicelevel.application.explain import decisive, explanation, of_alert
from servicelevel.domain.outputs import AlertState, Evidence, Transition
from servicelevel.domain.severity import Severity
from servicelevel.schemas.cloudevents import AlertEvent
from servicelevel.schemas.outputs import parse_transition, transition_event
from tests.builders.outputs import AT, transition


def event(made: Transition) -> AlertEvent:
    return parse_transition(transition_event(made))


EVIDENCE = Evidence(
    from_ms=AT - 300_000,
    windows={"5m": (150, 200), "1h": (1_900, 2_000), "30d": (998_000, 1_000_000)},
    offsets={"requests/0": (3, 54), "requests/1": (7, 7)},
    dimensions={"operation=POST /pay": 1_050, "status_code=503": 50},
)
RAISED = transition(
    good=998_000,
    total=1_000_000,
    burn_rate_long=50.0,
    burn_rate_short=250.0,
    budget_remaining=-1.0,
    evidence=EVIDENCE,
)


def text(made: Transition, *others: Transition) -> str:
    return "\n".join(explanation(event(made), [event(other) for other in others])) + "\n"


def why(**changed: object) -> str:
    return text(transition(**changed)).splitlines()[2]


def test_a_raised_warning() -> None:
    assert text(RAISED) == dedent("""\
        Warning raised (page): checkout-availability
          objective   main of service checkout
          why         rule 1h/5m holds, and none did before
          spending    50 times as fast as the budget lasts over 1h, 250 times over 5m
          when        2026-01-01T00:00:00.123Z, by the events' own time
          crossed     2026-01-01T00:00:00.123Z, the end of the first pane with which 1h/5m holds
          raised      2026-01-01T00:00:00.123Z
          final       yes, decided on a complete pane
          target      99.9 % good over the objective's whole window
          reached     99.8 %: 998,000 good of 1,000,000, 2,000 bad
          budget      overspent: 2 times as many bad events as may be
        windows that end then (burn rate 1 spends the budget in just the objective's window):
             5m  75 %: 150 good of 200, 50 bad; burn rate 250  <- the rule's
             1h  95 %: 1,900 good of 2,000, 100 bad; burn rate 50  <- the rule's
            30d  99.8 %: 998,000 good of 1,000,000, 2,000 bad; burn rate 2
        bad events after 2025-12-31T23:55:00.123Z, by what most of them share:
          1,050  operation=POST /pay
             50  status_code=503
        where the first and the last of them are:
          requests/0  offset 3 to 54
          requests/1  offset 7 to 7
          definition  checkout-availability, digest d1
          alert       a1
    """)


def test_an_early_breach_without_bad_events_of_a_group() -> None:
    breach = transition(
        kind="breach",
        rule="budget",
        group="region=eu",
        early=True,
        target=Fraction(9995, 10_000),
        burn_rate_long=40.0,
        burn_rate_short=40.0,
    )
    assert text(breach) == dedent("""\
        Breach raised (page): checkout-availability
          objective   main of service checkout
          group       region=eu
          why         the SLI is below its target over the whole window: the objective is missed
          when        2026-01-01T00:00:00.123Z, by the events' own time
          crossed     2026-01-01T00:00:00.123Z, the end of the first pane with which the SLI is \
below its target
          raised      2026-01-01T00:00:00.123Z
          final       no, told early: the complete pane confirms it or takes it back
          target      99.95 % good over the objective's whole window
          reached     98 %: 980 good of 1,000, 20 bad
          budget      overspent: 20 times as many bad events as may be
          bad events  none after 2025-12-31T23:59:50.123Z
          definition  checkout-availability, digest d1
          alert       a1
    """)


def test_what_became_of_it_follows() -> None:
    louder = transition(state=AlertState.ESCALATED, at_ms=AT + 60_000, rule="1h/5m", early=True)
    over = transition(state=AlertState.RESOLVED, at_ms=AT + 120_000)
    told = text(louder, transition(severity=Severity.TICKET, rule="6h/30m"), louder, over)
    assert told.splitlines()[-4:] == [
        "what became of it, the oldest first:",
        "  2026-01-01T00:00:00.123Z  raised (ticket, rule 6h/30m)",
        "  2026-01-01T00:01:00.123Z  escalated (page, rule 1h/5m, early)",
        "  2026-01-01T00:02:00.123Z  resolved (page, rule 1h/5m)",
    ]


def crossed(*told: str) -> list[str]:
    return [line.split(maxsplit=1)[1][:24] for line in told if line.startswith("  crossed")]


def test_the_crossing_is_that_of_the_rule_that_holds() -> None:
    quiet = transition(severity=Severity.TICKET, rule="6h/30m")
    louder = transition(state=AlertState.ESCALATED, at_ms=AT + 60_000)
    revised = transition(state=AlertState.REVISED, at_ms=AT + 90_000)
    told = text(revised, quiet, louder, revised).splitlines()
    assert crossed(*told) == ["2026-01-01T00:01:00.123Z"]
    assert "  raised      2026-01-01T00:00:00.123Z" in told
    assert crossed(*text(revised).splitlines()) == []  # told by no transition that is known
    assert crossed(*text(quiet, quiet, louder).splitlines()) == ["2026-01-01T00:00:00.123Z"]


@pytest.mark.parametrize(
    ("kind", "state", "early", "said"),
    [
        ("warning", AlertState.RAISED, False, "rule 1h/5m holds, and none did before"),
        (
            "warning",
            AlertState.ESCALATED,
            False,
            "rule 1h/5m holds now, which is louder than the one before",
        ),
        (
            "warning",
            AlertState.DEESCALATED,
            False,
            "only rule 1h/5m holds now, which is quieter than the one before",
        ),
        (
            "warning",
            AlertState.DEESCALATED,
            True,
            "a louder rule was told early and not borne out; rule 1h/5m holds",
        ),
        ("warning", AlertState.REVISED, False, "its numbers changed; rule 1h/5m holds"),
        (
            "warning",
            AlertState.RESOLVED,
            False,
            "no rule holds any more; the last that did was 1h/5m",
        ),
        (
            "warning",
            AlertState.RETRACTED,
            True,
            "it was told early, and the complete pane did not bear it out: nothing happened",
        ),
        (
            "breach",
            AlertState.RETRACTED,
            True,
            "it was told early, and the complete pane did not bear it out: nothing happened",
        ),
        (
            "breach",
            AlertState.RAISED,
            False,
            "the SLI is below its target over the whole window: the objective is missed",
        ),
        (
            "breach",
            AlertState.RESOLVED,
            False,
            "the SLI is back at its target over the whole window",
        ),
    ],
)
def test_why_of_every_state(kind: str, state: AlertState, early: bool, said: str) -> None:
    assert why(kind=kind, state=state, early=early) == f"  why         {said}"


def test_no_events_and_no_rates_are_said() -> None:
    told = text(
        transition(
            good=0,
            total=0,
            budget_remaining=None,
            burn_rate_long=None,
            burn_rate_short=None,
            evidence=Evidence(AT, windows={"1h": (0, 0)}),
        )
    )
    assert "  spending    - times as fast as the budget lasts over 1h, - times over 5m\n" in told
    assert "  reached     no events\n" in told
    assert "  budget      unknown, there are no events\n" in told
    assert "     1h  no events; burn rate -  <- the rule's\n" in told


def test_budget_left_is_a_share() -> None:
    assert "  budget      12.5 % left\n" in text(transition(budget_remaining=0.125))


def test_what_a_terminal_would_act_on_is_written_out() -> None:
    sly = Evidence(AT, dimensions={"operation=\x1b[2J\n\u202eé": 1})
    assert "  1  operation=\\x1b[2J\\n\\u202eé\n" in text(transition(evidence=sly))


def test_an_alert_is_found_by_its_id_and_by_that_of_a_transition() -> None:
    raised, over = event(transition()), event(transition(state=AlertState.RESOLVED, at_ms=AT + 1))
    other = event(transition(alert_id="b2"))
    known = [over, raised, other, raised]

    assert of_alert(known, "a1") == [raised, over]
    assert of_alert(known, over.id) == [over]
    assert of_alert(known, "c3") == []


def test_the_transition_that_says_why_is_the_last_with_the_alert_open() -> None:
    raised = event(transition())
    louder = event(transition(state=AlertState.ESCALATED, at_ms=AT + 1))
    over = event(transition(state=AlertState.RESOLVED, at_ms=AT + 2))

    assert decisive([raised, louder, over]) is louder
    assert decisive([over]) is over


def test_a_rule_with_a_name_of_its_own_and_fractions_of_slices() -> None:
    evidence = Evidence(AT - 300_000, {"5m": (Fraction(5, 3), 2)}, {}, {})
    made = transition(rule="burn", good=Fraction(5, 3), total=2, evidence=evidence)
    told = text(made)
    assert "over its longest window" in told
    assert "1.667 good of 2, 0.333 bad" in told
