"""`servicelevel explain`: an alert in plain words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from servicelevel.application.explain import decisive, explanation, of_alert
from servicelevel.application.mirror import RECENT_ALERTS, StatusReader
from servicelevel.entrypoints.cli.session import Session, session_of
from servicelevel.errors import CheckFailedError, UsageError
from servicelevel.schemas.cloudevents import AlertEvent
from servicelevel.schemas.outputs import parse_transition


def explain(
    context: typer.Context,
    alert_id: Annotated[
        str | None, typer.Argument(help="An `alert_id`, or the `id` of one transition.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="Alert events as JSON instead of Redis's; - is standard input."),
    ] = None,
) -> None:
    """Say in plain words why an alert was told: rule, windows, budget, bad events."""
    session = session_of(context)
    if alert_id is None and file is None:
        raise typer.BadParameter("name an alert: ALERT_ID, or --file FILE with its event")
    events = list(_from_file(file)) if file is not None else _from_mirror(session)
    if alert_id is None:
        for number, event in enumerate(events):
            if number:
                session.print("")
            _print(session, explanation(event))
        return
    found = of_alert(events, alert_id)
    if not found:
        where = file or f"the open alerts and the newest {RECENT_ALERTS:,} transitions in Redis"
        raise CheckFailedError(f"no alert `{alert_id}` is in {where}: see `servicelevel alerts`")
    _print(session, explanation(decisive(found), found))


def _print(session: Session, lines: Iterator[str]) -> None:
    for line in lines:
        session.print(line)


def _from_mirror(session: Session) -> list[AlertEvent]:
    settings = session.settings()

    async def read() -> list[AlertEvent]:
        async with session.parts.open_reader(settings) as reader:
            return await _known(reader)

    return session.wait(read())


async def _known(reader: StatusReader) -> list[AlertEvent]:
    return [*await reader.open_alerts(), *await reader.transitions(RECENT_ALERTS)]


def _from_file(file: Path) -> Iterator[AlertEvent]:
    """One event over several lines, or an event a line."""
    from servicelevel.adapters.files.lines import read_lines

    lines = [(line.offset + 1, line.value or b"") for line in read_lines(file)]
    if not lines:
        raise UsageError(f"{file} is empty: it must have an alert event as JSON")
    if not lines[0][1].endswith(b"}"):
        yield _parsed(b"\n".join(value for _, value in lines), f"{file}")
        return
    for number, value in lines:
        yield _parsed(value, f"{file}, line {number}")


def _parsed(value: bytes, where: str) -> AlertEvent:
    try:
        return parse_transition(value)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        said = f"`{field}`: {first['msg']}" if field else first["msg"]
        raise UsageError(
            f"{where} is no alert event, a message of `warnings` or `breaches`: {said}"
        ) from error
