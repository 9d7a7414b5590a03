"""The demo on a terminal: a table of objectives, and below it what happened."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from servicelevel.entrypoints.demo.board import Board, Happening
from servicelevel.schemas.cloudevents import StatusData

_STYLES = {
    "phase": "bold cyan",
    "page": "bold red",
    "ticket": "yellow",
    "info": "blue",
    "breach": "bold white on red",
    "resolved": "green",
    "ok": "green",
    "warning": "bold yellow",
    "breached": "bold white on red",
    "no_data": "dim",
}
_BAR = 10
_LINES = 9


def render(board: Board, elapsed_s: float) -> RenderableType:
    """The whole picture, `elapsed_s` seconds after the start."""
    return Group(_table(board, elapsed_s), _story(board))


def _table(board: Board, elapsed_s: float) -> Table:
    title = f"servicelevel demo · {elapsed_s:.0f} s · {board.sent.total():,} requests sent"
    table = Table(title=title, title_justify="left", expand=True, pad_edge=False)
    table.add_column("service")
    table.add_column("objective", ratio=1, no_wrap=True)
    table.add_column("SLI", justify="right", no_wrap=True)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("budget left", no_wrap=True)
    table.add_column("burn rates", no_wrap=True)
    table.add_column("state", no_wrap=True)
    last = ""
    for _, status in sorted(board.statuses.items(), key=lambda item: (item[1].service, *item[0])):
        table.add_row(
            status.service if status.service != last else "",
            f"{status.slo} · {status.objective}",
            "-" if status.sli is None else f"{status.sli:.2%}",
            f"{status.target:.2%}",
            _budget(status),
            _burn_rates(status.burn_rates),
            _state(*board.standing(status)),
        )
        last = status.service
    if not board.statuses:
        table.add_row("", "waiting for the first panes …", "", "", "", "", "")
    return table


def _budget(status: StatusData) -> Text:
    remaining = status.error_budget.remaining_ratio
    if remaining is None:
        return Text("-", style="dim")
    filled = round(min(1.0, max(0.0, remaining)) * _BAR)
    style = "green" if remaining > 0.5 else "yellow" if remaining > 0 else "red"
    bar = Text("█" * filled, style=style)
    bar.append("░" * (_BAR - filled), style="dim")
    bar.append(f" {remaining:4.0%}", style=style)
    return bar


def _burn_rates(rates: Mapping[str, float | None]) -> str:
    """The two shortest windows, as the evaluator lists them by length."""
    known = [f"{name} {rate:.1f}" for name, rate in rates.items() if rate is not None]
    return "  ".join(known[:2])


def _state(state: str, severity: str | None) -> Text:
    style = severity if state == "warning" and severity else state
    return Text(f"{state} {severity}" if severity else state, style=_STYLES.get(style, ""))


def _story(board: Board) -> Panel:
    lines = [line(happening) for happening in board.happenings[-_LINES:]]
    return Panel(Text("\n").join(lines), title="what happened", title_align="left")


def line(happening: Happening) -> Text:
    """One line of the story."""
    text = Text(f"{happening.at_s:5.1f} s  ", style="dim")
    text.append(happening.text, style=_STYLES.get(happening.level, ""))
    return text
