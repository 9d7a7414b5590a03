"""`servicelevel init`: a first set of definitions, to be changed."""

from pathlib import Path
from typing import Annotated

import typer

from servicelevel.entrypoints.cli.session import session_of


def init(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Name of the service, as its events carry it.")],
    output: Annotated[
        Path | None, typer.Option(help="File to write, a new one; without, standard output.")
    ] = None,
) -> None:
    """Write first definitions of a service: availability, response time, throughput."""
    from servicelevel.adapters.files.first_definitions import first_definitions, write_new

    session = session_of(context)
    text = first_definitions(service)
    if output is None:
        session.print(text.rstrip("\n"))
    else:
        write_new(output, text)
        session.print(f"wrote {output}: change it, then servicelevel validate {output}")
