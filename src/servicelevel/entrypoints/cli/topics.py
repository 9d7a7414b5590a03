"""`servicelevel topics`: makes the topics and checks them."""

import typer

from servicelevel.entrypoints.cli.session import session_of
from servicelevel.errors import CheckFailedError


def build() -> typer.Typer:
    """The group of commands."""
    group = typer.Typer(help="Make the topics, or check them.", no_args_is_help=True)
    group.command()(create)
    group.command()(check)
    return group


def create(context: typer.Context) -> None:
    """Create the topics that are missing, then check all."""
    session = session_of(context)
    settings = session.settings()
    for name in session.wait(session.parts.create_topics(settings)):
        session.print(f"created {name}")
    check(context)


def check(context: typer.Context) -> None:
    """Check that every topic is there with the partitions it needs."""
    session = session_of(context)
    problems = session.wait(session.parts.topic_problems(session.settings()))
    for problem in problems:
        session.print(problem)
    if problems:
        raise CheckFailedError(f"{len(problems)} of the topics are not as they must be")
    session.print("the topics are fine")
