"""Puts the commands together, and turns errors into one line and an exit code."""

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from servicelevel import __version__
from servicelevel.entrypoints.cli import (
    definitions,
    doctor,
    explaining,
    mappings,
    replaying,
    running,
    schemas,
    serving,
    starting,
    topics,
)
from servicelevel.entrypoints.cli.parts import real_parts
from servicelevel.entrypoints.cli.session import Parts, Session, session_of
from servicelevel.errors import DependencyError, ServiceLevelError

INTERRUPTED = 130
COMMON_OPTIONS = frozenset(
    {"--settings", "--brokers", "--redis", "--prefix", "--definitions", "--log-level"}
)


def main() -> NoReturn:
    """The console script."""
    sys.exit(run_command(sys.argv[1:], real_parts()))


def run_command(arguments: Sequence[str], parts: Parts) -> int:
    """Run one command; its exit code: 0 fine, 1 not fine, 2 wrong use, 3 out of reach."""
    try:
        build_app()(args=hoisted(arguments), prog_name="servicelevel", obj=Session(parts))
    except ServiceLevelError as error:
        parts.err.write(f"servicelevel: {error}\n")
        return error.exit_code
    except OSError as error:  # such as a full disk under standard output
        parts.err.write(f"servicelevel: {error}\n")
        return DependencyError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Common options may stand after the command too: they are put before it, in order."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in COMMON_OPTIONS:
            front += [word, *islice(words, 1)]
        elif word.partition("=")[0] in COMMON_OPTIONS:
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def build_app() -> typer.Typer:
    """All commands; called with a `Session` as `obj`."""
    app = typer.Typer(
        name="servicelevel",
        help="Service levels from event streams: exact SLIs, error budgets, burn-rate alerts.",
        epilog="The options above may stand after the command too.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_common)
    app.command()(serving.status)
    app.command()(serving.alerts)
    app.command()(explaining.explain)
    app.command()(starting.init)
    app.command()(definitions.validate)
    app.command(cls=replaying.ManyFiles)(replaying.replay)
    app.command()(running.run)
    app.command()(running.demo)
    app.add_typer(topics.build(), name="topics")
    app.add_typer(mappings.build(), name="mapping")
    app.command()(schemas.schema)
    app.command()(doctor.doctor)
    app.command()(version)
    return app


def version(context: typer.Context) -> None:
    """Print the version."""
    session_of(context).print(__version__)


def _print_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        session_of(context).print(f"servicelevel {__version__}")
        raise typer.Exit


def _common(
    context: typer.Context,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings file, .toml or .yaml; SERVICELEVEL_SETTINGS names it too."),
    ] = None,
    brokers: Annotated[str | None, typer.Option(help="Kafka, host:port, comma-separated.")] = None,
    redis: Annotated[
        str | None, typer.Option(help="Redis URL; one with a password goes in the environment.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Put before every topic name.")] = None,
    definitions: Annotated[
        list[Path] | None, typer.Option(help="File or folder of OpenSLO; may be given again.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR.", metavar="LEVEL")
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="And exit.")
    ] = False,
) -> None:
    """Options here win over SERVICELEVEL_* variables, and these over the settings file."""
    session = session_of(context)
    session.file = settings
    session.options = {
        "brokers": brokers,
        "redis_url": redis,
        "topic_prefix": prefix,
        "definitions": tuple(definitions) if definitions else None,
        "log_level": log_level.upper() if log_level else None,
    }
