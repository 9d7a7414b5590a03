"""What a terminal shows, and what is written where there is none."""

import io

from rich.console import Console

from servicelevel.entrypoints.demo.board import Board
from servicelevel.entrypoints.demo.screen import PlainScreen, open_screen, state_line
from servicelevel.entrypoints.demo.view import render
from tests.unit.entrypoints.demo.samples import alert, status


def shown(board: Board, width: int = 140) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(render(board, 12.4))
    return out.getvalue()


def test_objectives_with_sli_budget_and_the_shortest_burn_rates() -> None:
    board = Board()
    board.status(status())
    text = shown(board)
    assert "checkout-availability · two nines" in text
    assert "99.00%" in text
    assert "██████░░░░  60%" in text
    assert "5m 0.5  1h 0.4" in text
    assert "6h" not in text


def test_service_is_named_once_for_all_its_objectives() -> None:
    board = Board()
    board.status(status("a-slo"))
    board.status(status("b-slo"))
    rows = [row for row in shown(board).splitlines() if "-slo" in row]
    assert ["checkout " in row for row in rows] == [True, False]


def test_objective_without_events_shows_dashes() -> None:
    board = Board()
    none = {"allowed": 0.0, "consumed": 0, "remaining_ratio": None}
    board.status(status(sli=None, total=0, good=0, error_budget=none, state="no_data"))
    row = next(row for row in shown(board).splitlines() if "two nines" in row)
    assert row.count(" - ") == 2
    assert "no_data" in row


def test_overspent_budget_is_an_empty_bar() -> None:
    board = Board()
    spent = {"allowed": 4.0, "consumed": 5, "remaining_ratio": -0.25}
    board.status(status(error_budget=spent, state="breached"))
    assert "░░░░░░░░░░ -25%" in shown(board)


def test_only_the_last_happenings_are_shown() -> None:
    board = Board()
    for number in range(20):
        board.happens(float(number), "phase", f"happening {number}.")
    text = shown(board)
    assert "happening 19." in text
    assert "happening 11." in text
    assert "happening 10." not in text


def test_picture_fits_a_narrow_terminal() -> None:
    board = Board()
    board.status(status())
    board.transition(alert("1", "raised"), 4.0)
    assert max(len(row) for row in shown(board, width=80).splitlines()) <= 80


def test_without_a_terminal_happenings_are_lines() -> None:
    board, out = Board(), io.StringIO()
    with open_screen(board, out) as screen:
        assert isinstance(screen, PlainScreen)
        screen.tell(board.happens(3.25, "phase", "checkout fails"))
    assert out.getvalue() == "   3.2 s  checkout fails\n"


def test_without_a_terminal_the_state_is_told_every_ten_seconds() -> None:
    board, out = Board(), io.StringIO()
    board.status(status())
    screen = PlainScreen(board, out)
    for elapsed in (1.0, 9.9, 10.1, 12.0, 19.9, 20.3):
        screen.refresh(elapsed)
    assert [row.split(" s ")[0].strip() for row in out.getvalue().splitlines()] == ["10.1", "20.3"]


def test_state_line_names_what_is_not_fine() -> None:
    board = Board()
    board.status(status())
    board.status(status("checkout-now", state="breached"))
    told = "0 requests sent; 1 of 2 objectives fine; checkout-now breached"
    assert state_line(board) == told
