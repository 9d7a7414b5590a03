"""The board drops repeats and keeps count of the alerts."""

from servicelevel.entrypoints.demo.board import Board
from tests.unit.entrypoints.demo.samples import alert, status


def test_repeat_is_dropped_by_its_id() -> None:
    board = Board()
    assert board.transition(alert("1", "raised"), 4.0)
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
    assert "95.00% of 96.00%" in happening.text
    assert board.breaches == 1


def test_last_status_is_in_force() -> None:
    board = Board()
    board.status(status(total=10))
    board.status(status(total=20))
    assert [s.total for s in board.statuses.values()] == [20]
