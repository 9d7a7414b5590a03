"""`servicelevel doctor`: looks at everything around and says what to do."""

from collections.abc import Iterator
from typing import NamedTuple

import typer

from servicelevel.entrypoints.cli.printing import Format, FormatOption, print_json
from servicelevel.entrypoints.cli.session import Session, session_of
from servicelevel.errors import CheckFailedError, DependencyError, ServiceLevelError
from servicelevel.settings import Settings

_MARKS = {True: "ok", False: "!!", None: "--"}


class Result(NamedTuple):
    """One thing looked at; `fine` is None where it was not needed."""

    what: str
    fine: bool | None
    said: str
    exit_code: int = 0


def doctor(context: typer.Context, form: FormatOption = Format.TEXT) -> None:
    """Look at the client library, the brokers, the topics, Redis and the definitions."""
    session = session_of(context)
    settings = session.settings()
    results = list(_results(session, settings))
    if form is Format.TEXT:
        for result in results:
            session.print(f"{_MARKS[result.fine]}  {result.what}: {result.said}")
    else:
        print_json(
            session, ({"what": r.what, "fine": r.fine, "said": r.said} for r in results), form
        )
    raise typer.Exit(max(result.exit_code for result in results))


def _results(session: Session, settings: Settings) -> Iterator[Result]:
    slow = session.parts.slow_client()
    yield Result("client library", slow is None, slow or "the C extension is in use")
    yield from _kafka(session, settings)
    yield _redis(session, settings)
    yield _definitions(settings)


def _kafka(session: Session, settings: Settings) -> Iterator[Result]:
    try:
        problems = session.wait(session.parts.topic_problems(settings))
    except ServiceLevelError as error:
        yield _failed("brokers", error)
        return
    yield Result("brokers", True, settings.brokers)
    if not problems:
        yield Result("topics", True, "all are there with the partitions they need")
    for problem in problems:
        yield Result("topics", False, problem, CheckFailedError.exit_code)


def _redis(session: Session, settings: Settings) -> Result:
    if settings.redis_url is None:
        said = "not set: `status` and `alerts` need it (SERVICELEVEL_REDIS_URL)"
        return Result("Redis", None, said)
    try:
        session.wait(session.parts.ping_redis(settings))
    except ServiceLevelError as error:
        return _failed("Redis", error)
    return Result("Redis", True, "answers")


def _definitions(settings: Settings) -> Result:
    from servicelevel.adapters.files.definitions import load_definitions

    if not settings.definitions:
        return Result("definitions", None, "none are set: name them with --definitions")
    try:
        loaded = load_definitions(settings.definitions, lenient=settings.lenient)
    except DependencyError as error:
        return _failed("definitions", error)
    if not loaded.is_complete:
        said = "not all of it can be evaluated: run `servicelevel validate` on it"
        return Result("definitions", False, said, CheckFailedError.exit_code)
    return Result("definitions", True, f"{len(loaded.catalogue.slos)} SLOs")


def _failed(what: str, error: ServiceLevelError) -> Result:
    return Result(what, False, str(error), error.exit_code)
