"""`servicelevel mapping try`: shows what a source mapping makes of recorded lines."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer

from servicelevel.entrypoints.cli.printing import Format, FormatOption
from servicelevel.entrypoints.cli.session import Session, session_of


class Tried(NamedTuple):
    """What became of a line, numbered from 1: an event, or else why there is none.

    Without event and reason, the mapping selects nothing of the line.
    """

    file: str
    line: int
    event: dict[str, Any] | None
    reason: str = ""
    detail: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON: with `event`, which may be null, or with `reason` and `detail`."""
        place = {"file": self.file, "line": self.line}
        if self.reason:
            return {**place, "reason": self.reason, "detail": self.detail}
        return {**place, "event": self.event}


def build() -> typer.Typer:
    """The group of commands."""
    group = typer.Typer(help="Try source mappings.", no_args_is_help=True)
    group.command("try")(try_)
    return group


def try_(
    context: typer.Context,
    mapping: Annotated[Path, typer.Option(help="A source mapping: a file, or one that ships.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Recorded lines, a JSON object each; standard input if none or -."),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Print the events that each line becomes, or why it is refused; exit 1 if one is."""
    session = session_of(context)
    events = refused = 0

    def counted() -> Iterator[Tried]:
        nonlocal events, refused
        for tried in _tried(session, mapping, files or [Path("-")]):
            events += tried.event is not None
            refused += bool(tried.reason)
            yield tried

    if form is Format.JSON:
        whole = _json([tried.plain() for tried in counted()])
        session.print(msgspec.json.format(whole, indent=2))
    else:
        for tried in counted():
            session.print(_text(tried) if form is Format.TEXT else _json(tried.plain()))
    if form is Format.TEXT:
        session.print(f"{events} events, {refused} refused")
    if refused:
        raise typer.Exit(1)


def _tried(session: Session, mapping: Path, files: Sequence[Path]) -> Iterator[Tried]:
    """Each line through the code that reads records, with the limits of the settings."""
    from servicelevel.adapters.files.lines import read_lines
    from servicelevel.adapters.files.mapping import load_mapping_document
    from servicelevel.application.decode import DecodeLimits, decode_batch
    from servicelevel.application.mapping import SourceMapping

    settings = session.settings()
    spec = load_mapping_document(mapping).spec
    compiled = SourceMapping(spec)
    limits = DecodeLimits(settings.max_event_bytes, settings.max_future_ms)
    for file in files:
        for record in read_lines(file):
            batch, dead = decode_batch(
                [record],
                topic=str(file),
                partition=0,
                kind=spec.event,
                now_ms=session.parts.clock(),
                limits=limits,
                mapping=compiled,
            )
            line = record.offset + 1
            for event in batch.events:
                yield Tried(str(file), line, _present(event))
            for letter in dead:
                yield Tried(str(file), line, None, letter.reason, letter.detail)
            if not batch.events and not dead:
                yield Tried(str(file), line, None)


def _present(event: msgspec.Struct) -> dict[str, Any]:
    """The fields that the event has; its time in epoch ms."""
    return {
        name: value for name, value in msgspec.structs.asdict(event).items() if value is not None
    }


def _text(tried: Tried) -> str:
    place = f"{tried.file}:{tried.line}"
    if tried.reason:
        return f"{place}: refused, {tried.reason}: {tried.detail}"
    if tried.event is None:
        return f"{place}: nothing, as the mapping selects none of it"
    return f"{place}: {_json(tried.event)}"


def _json(document: object) -> str:
    """Unlike orjson it writes integers of any size, and an attribute may be one."""
    return msgspec.json.encode(document).decode()
