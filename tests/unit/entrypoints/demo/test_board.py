"""The board drops repeats and confirmations and keeps count of the alerts."""

from servicelevel.entrypoints.demo.board import Board, budget_left
from tests.unit.entrypoints.demo.samples import alert, status


def test_what_was_told_early_is_not_told_again_when_it_is_confirmed() -> None:
    board = Board()
    assert board.transition(alert("1.early", "raised"), 4.0)
    assert board.transition(alert("1", "raised"), 5.0) is None
    assert (board.raised, board.first_alert_s, len(board.open)) == (1, 4.0, 1)


def test_alert_is_open_until_resolved() -> None:
    board = Board()
    board.transition(alert("1", "raised", severity="ticket"), 4.0)
    board.transition(alert("2", "escalated"), 6.0)
    assert [a.severity for a in board.open.values()] == ["page"]
    board.transition(alert("3", "resolved"), 9.0)
    assert (board.open, board.raised, board.resolved) == ({}, 1, 1)
    assert [h.level for h in board.happenings] == ["ticket", "page", "resolved"]


def test_retraction_of_an_early_alert_takes_it_back() -> None:
    board = Board()
    board.transition(alert("1", "raised"), 4.0)
    board.transition(alert("1", "retracted"), 5.0)
    assert board.open == {}


def test_breach_is_told_with_its_sli() -> None:
    board = Board()
    happening = board.transition(alert("1", "raised", kind="breach"), 4.0)
    assert happening is not None
    assert happening.level == "breach"
    assert happening.text == (
        "breach raised: checkout-now (96 %): 95.00% of 96.00%; budget overspent by 25%"
    )
    assert board.breaches == 1


def test_warning_is_told_with_its_burn_rate() -> None:
    happening = Board().transition(alert("1", "raised", rule="1m/10s@1"), 4.0)
    assert happening is not None
    assert happening.text == (
        "page raised: checkout-now (96 %): burn rate 3.5 over 1m/10s; budget overspent by 25%"
    )


def test_budget_in_words() -> None:
    assert budget_left(0.514) == "51% of budget left"
    assert budget_left(-0.004) == "budget spent"
    assert budget_left(None) == "no budget yet"


def test_open_alerts_are_ahead_of_the_last_status() -> None:
    board = Board()
    last = status("checkout-now", objective="96 %").data
    assert board.standing(last) == ("ok", None)
    board.transition(alert("1", "raised"), 4.0)
    assert board.standing(last) == ("warning", "page")
    board.transition(alert("2", "raised", kind="breach"), 5.0)
    assert board.standing(last) == ("breached", "page")
    assert board.standing(status().data) == ("ok", None)


def test_last_status_is_in_force() -> None:
    board = Board()
    board.status(status(total=10))
    board.status(status(total=20))
    assert [s.total for s in board.statuses.values()] == [20]
