"""`servicelevel replay`: the same evaluation over files."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from servicelevel.entrypoints.cli.arguments import moment_ms
from servicelevel.entrypoints.cli.comparing import print_comparison
from servicelevel.entrypoints.cli.printing import Format
from servicelevel.entrypoints.cli.session import session_of

_MANY = {"--requests", "--incidents", "--changes"}


class ManyFiles(TyperCommand):
    """Lets `DEFINITIONS --requests a b c` say what `--requests a --requests b …` says."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # narrower, as typer calls it
        """Repeat the option before each further file."""
        return super().parse_args(ctx, spread(args))


def spread(args: list[str]) -> list[str]:
    """Repeat `--requests` and the like before each further file, once DEFINITIONS was given."""
    if not args or (args[0].startswith("-") and args[0] != "-"):
        return args  # the definitions come last: nothing can be told from the place of a word
    result: list[str] = []
    option: str | None = None
    for arg in args:
        if arg.startswith("-") and arg != "-":
            option = arg if arg in _MANY else None
        elif option and result[-1] != option:
            result.append(option)
        result.append(arg)
    return result


def replay(
    context: typer.Context,
    definitions: Annotated[Path, typer.Argument(help="File or folder of OpenSLO.")],
    requests: Annotated[
        list[Path] | None,
        typer.Option(help="Files of request events, also .gz; - is stdin."),
    ] = None,
    incidents: Annotated[list[Path] | None, typer.Option(help="Of incident events.")] = None,
    changes: Annotated[list[Path] | None, typer.Option(help="Of change events.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Source mapping of the request files.")
    ] = None,
    status_at: Annotated[
        int | None,
        typer.Option(parser=moment_ms, metavar="TIME", help="Print the statuses then instead."),
    ] = None,
    early: Annotated[bool, typer.Option(help="Print what is told early too.")] = False,
    against: Annotated[
        Path | None,
        typer.Option(help="Other definitions: print what differs with them, alerts and budgets."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Of what `--against` prints: text (default), json, ndjson."),
    ] = None,
) -> None:
    """Evaluate recorded events, a JSON object a line; print the output events as NDJSON."""
    session = session_of(context)
    if not (requests or incidents or changes):
        raise typer.BadParameter("name a file of events: --requests FILE")
    if against is not None:
        if early:
            raise typer.BadParameter("--against compares what is told on time: leave out --early")
        found = session.parts.compare(
            [definitions],
            [against],
            requests=requests or [],
            incidents=incidents or [],
            changes=changes or [],
            mapping=mapping,
            status_at_ms=status_at,
            settings=session.settings(),
            clock=session.parts.clock,
        )
        print_comparison(session, found, str(definitions), str(against), form or Format.TEXT)
        return
    if form not in (None, Format.NDJSON):
        raise typer.BadParameter("the output events are NDJSON: --format is for --against")
    session.parts.replay(
        [definitions],
        requests=requests or [],
        incidents=incidents or [],
        changes=changes or [],
        mapping=mapping,
        status_at_ms=status_at,
        early=early,
        settings=session.settings(),
        clock=session.parts.clock,
        out=session.parts.out,
    )
