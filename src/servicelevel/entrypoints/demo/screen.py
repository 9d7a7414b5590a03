"""Where the demo shows itself: a live picture on a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live

from servicelevel.entrypoints.demo.board import Board, Happening
from servicelevel.entrypoints.demo.view import render

_STATUS_EVERY_S = 10


class Screen(Protocol):
    """Is told of each happening, and of the time now and then."""

    def tell(self, happening: Happening) -> None: ...
    def refresh(self, elapsed_s: float) -> None: ...


class PlainScreen:
    """One line a happening, and a line on all objectives every ten seconds."""

    def __init__(self, board: Board, out: TextIO) -> None:
        self._board = board
        self._out = out
        self._next_s = float(_STATUS_EVERY_S)

    def tell(self, happening: Happening) -> None:
        self._write(happening.at_s, happening.text)

    def refresh(self, elapsed_s: float) -> None:
        if elapsed_s >= self._next_s and self._board.statuses:
            self._next_s = elapsed_s // _STATUS_EVERY_S * _STATUS_EVERY_S + _STATUS_EVERY_S
            self._write(elapsed_s, state_line(self._board))

    def _write(self, at_s: float, text: str) -> None:
        self._out.write(f"{at_s:6.1f} s  {text}\n")
        self._out.flush()


class LiveScreen:
    """The picture of `view`, drawn anew at each refresh."""

    def __init__(self, board: Board, live: Live) -> None:
        self._board = board
        self._live = live

    def tell(self, happening: Happening) -> None:
        self.refresh(happening.at_s)

    def refresh(self, elapsed_s: float) -> None:
        self._live.update(render(self._board, elapsed_s), refresh=True)


@contextmanager
def open_screen(board: Board, out: TextIO) -> Iterator[Screen]:
    """Live where `out` is a terminal that can move its cursor, plain elsewhere."""
    console = Console(file=out)
    if not console.is_terminal or console.is_dumb_terminal:
        yield PlainScreen(board, out)
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        yield LiveScreen(board, live)


def state_line(board: Board) -> str:
    """All objectives in a line: how many are in which state, and which are not fine."""
    statuses = list(board.statuses.values())
    troubled = [
        f"{each.slo} {state}"
        for each in statuses
        if (state := board.standing(each)[0]) not in ("ok", "no_data")
    ]
    fine = f"{len(statuses) - len(troubled)} of {len(statuses)} objectives fine"
    sent = f"{board.sent.total():,} requests sent"
    return "; ".join([sent, fine, *troubled])


def write_lines(lines: Iterable[str], out: TextIO) -> None:
    """Each on a line of its own."""
    for text in lines:
        out.write(text + "\n")
    out.flush()
