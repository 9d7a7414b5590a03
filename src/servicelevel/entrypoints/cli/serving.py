"""`servicelevel status` and `servicelevel alerts`: what Redis has."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any, TypeVar

import typer
from rich.text import Text

from servicelevel.application.mirror import StatusReader
from servicelevel.domain.time import MINUTE_MS
from servicelevel.entrypoints.cli.printing import Format, FormatOption, print_json, print_table
from servicelevel.entrypoints.cli.session import Session, session_of
from servicelevel.schemas.cloudevents import AlertData, AlertEvent, StatusData, StatusEvent
from servicelevel.schemas.moments import rfc3339_moment

_T = TypeVar("_T")
SHOWN_WINDOWS = 3
STALL_MS = 2 * MINUTE_MS
"""Beyond lateness and idle timeout: time goes on without events, so older is no silence."""
_STYLES = {
    "ok": "green",
    "warning": "yellow",
    "breached": "bold red",
    "page": "bold red",
    "ticket": "yellow",
}

SloOption = Annotated[str | None, typer.Option("--slo", help="Of this SLO only.")]
ServiceOption = Annotated[str | None, typer.Option("--service", help="Of this service only.")]


def status(
    context: typer.Context,
    slo: SloOption = None,
    service: ServiceOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Print where each objective stands, by group."""
    session = session_of(context)

    async def read(reader: StatusReader) -> list[StatusEvent]:
        return await reader.statuses()

    found = [e.data for e in _read(session, read) if _wanted(e.data, slo, service)]
    if form is not Format.TEXT:
        print_json(session, (data.model_dump() for data in found), form)
    elif found:
        heads = ("SLO", "OBJECTIVE", "GROUP", "STATE", "SLI", "TARGET", "BUDGET LEFT", "BURN", "AT")
        print_table(session, heads, map(_status_row, found))
        if (warning := _stall(session, max(data.at for data in found))) is not None:
            session.print(warning)
    else:
        session.print("No status yet: is `servicelevel run` running, and are events coming in?")


def alerts(
    context: typer.Context,
    slo: SloOption = None,
    service: ServiceOption = None,
    history: Annotated[
        int, typer.Option(help="The newest transitions instead, so many.", min=0)
    ] = 0,
    form: FormatOption = Format.TEXT,
) -> None:
    """Print the open alerts, the oldest first, or the newest transitions."""
    session = session_of(context)

    async def read(reader: StatusReader) -> list[AlertEvent]:
        return await (reader.transitions(history) if history else reader.open_alerts())

    found = [e for e in _read(session, read) if _wanted(e.data, slo, service)]
    if form is not Format.TEXT:
        print_json(session, ({"time": e.time, **e.data.model_dump()} for e in found), form)
    elif found:
        heads = ("TIME", "ALERT", "SEVERITY", "STATE", "SLO", "OBJECTIVE", "GROUP", "RULE", "BURN")
        print_table(session, heads, map(_alert_row, found))
    else:
        session.print("No transitions." if history else "No open alerts.")


def _read(
    session: Session, read: Callable[[StatusReader], Coroutine[Any, Any, list[_T]]]
) -> list[_T]:
    settings = session.settings()

    async def opened() -> list[_T]:
        async with session.parts.open_reader(settings) as reader:
            return await read(reader)

    return session.wait(opened())


def _wanted(data: StatusData | AlertData, slo: str | None, service: str | None) -> bool:
    return (slo is None or data.slo == slo) and (service is None or data.service == service)


def _stall(session: Session, newest: str) -> str | None:
    """What to think of statuses that are old: without events they would still be new."""
    settings = session.settings()
    behind_ms = session.parts.clock() - rfc3339_moment(newest)
    if behind_ms <= STALL_MS + settings.allowed_lateness_ms + settings.idle_timeout_ms:
        return None
    seconds = behind_ms // 1_000
    ago = f"{seconds // 3_600} h {seconds % 3_600 // 60} min {seconds % 60} s"
    return (
        f"\nEvaluated up to {newest}, {ago} behind the clock. This is not for want of traffic: the "
        "workers are stopped or stalled, or they count a backlog. See `servicelevel doctor`."
    )


def _status_row(data: StatusData) -> Sequence[Text | str]:
    state = data.state if data.severity is None else f"{data.state} ({data.severity})"
    return (
        data.slo,
        data.objective,
        data.group or "-",
        Text(state, _STYLES.get(data.state, "")),
        _percent(data.sli, 3),
        _percent(data.target, 3),
        _percent(data.error_budget.remaining_ratio, 1),
        _burn(data.burn_rates),
        data.at,
    )


def _burn(rates: Mapping[str, float | None]) -> str:
    """The shortest windows that have events; the other formats have all of them."""
    known = [f"{window}:{_rate(rate)}" for window, rate in rates.items() if rate is not None]
    return " ".join(known[:SHOWN_WINDOWS]) or "-"


def _alert_row(event: AlertEvent) -> Sequence[Text | str]:
    data = event.data
    return (
        event.time,
        data.kind,
        Text(data.severity, _STYLES.get(data.severity, "")),
        f"{data.state} (early)" if data.early else data.state,
        data.slo,
        data.objective,
        data.group or "-",
        data.rule,
        f"{_rate(data.burn_rate_long)}/{_rate(data.burn_rate_short)}",
    )


def _percent(ratio: float | None, digits: int) -> str:
    return "-" if ratio is None else f"{ratio * 100:.{digits}f} %"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.3g}"
