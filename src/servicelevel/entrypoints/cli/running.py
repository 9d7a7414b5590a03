"""`servicelevel run` and `servicelevel demo`."""

from enum import StrEnum
from typing import Annotated

import typer

from servicelevel.entrypoints.cli.arguments import duration_ms
from servicelevel.entrypoints.cli.session import session_of
from servicelevel.errors import SettingsError


class Role(StrEnum):
    """The parts of a system that a process can be."""

    ALL = "all"
    COMBINER = "combiner"
    EVALUATOR = "evaluator"
    MIRROR = "mirror"


def run(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="Which part; all of them by default.")] = Role.ALL,
    workers: Annotated[int, typer.Option(help="Processes of each part.", min=1, max=256)] = 1,
    watch: Annotated[
        bool, typer.Option("--watch", help="Read the definitions anew when their files change.")
    ] = False,
) -> None:
    """Evaluate until stopped: read events, count, decide, tell. SIGHUP: read definitions anew."""
    session = session_of(context)
    settings = session.settings()
    if role is Role.MIRROR and settings.redis_url is None:
        raise SettingsError("the mirror needs a Redis: set SERVICELEVEL_REDIS_URL or --redis")
    raise typer.Exit(session.parts.run(settings, role.value, workers, watch))


def demo(
    context: typer.Context,
    for_ms: Annotated[
        int | None,
        typer.Option("--for", parser=duration_ms, metavar="DURATION", help="Such as 60s."),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(help="A broker of yours, host:port, instead of the embedded one."),
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option(help="A Redis of yours instead of the embedded one.")
    ] = None,
) -> None:
    """Show it on made-up traffic, with a broker and Redis of its own; Ctrl-C ends it."""
    session = session_of(context)
    for_seconds = None if for_ms is None else for_ms / 1_000
    raise typer.Exit(session.parts.demo(for_seconds, broker, redis_url, out=session.parts.out))
