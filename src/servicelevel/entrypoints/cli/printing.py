"""Prints data as a table, as one JSON array, or as one JSON object a line."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from servicelevel.entrypoints.cli.session import Session


class Format(StrEnum):
    """How data is printed."""

    TEXT = "text"
    JSON = "json"
    NDJSON = "ndjson"


FormatOption = Annotated[Format, typer.Option("--format", help="How data is printed.")]


def print_json(session: Session, items: Iterable[Any], form: Format) -> None:
    """Print `items` as an array (`json`) or a line each (`ndjson`)."""
    if form is Format.JSON:
        session.print(orjson.dumps(list(items), option=orjson.OPT_INDENT_2).decode())
        return
    for item in items:
        session.print(orjson.dumps(item).decode())


def print_table(
    session: Session, heads: Sequence[str], rows: Iterable[Sequence[Text | str]]
) -> None:
    """Print a table as wide as the terminal allows; never narrower than its words elsewhere."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console(session).print(table)


def console(session: Session) -> Console:
    """Standard output; 160 columns where it is no terminal."""
    out = session.parts.out
    return Console(file=out, width=None if out.isatty() else 160, highlight=False)
