"""`servicelevel replay`: the same evaluation over recorded events."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from servicelevel.application.topic_range import TopicRange
from servicelevel.entrypoints.cli.arguments import edge, moment_ms
from servicelevel.entrypoints.cli.comparing import print_comparison
from servicelevel.entrypoints.cli.printing import Format
from servicelevel.entrypoints.cli.progress import progress
from servicelevel.entrypoints.cli.session import session_of
from servicelevel.entrypoints.replay_request import FileMapping, RecordedFiles, ReplayRequest

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
        typer.Option(help="Files of request events, also .gz and .zst; - is stdin."),
    ] = None,
    incidents: Annotated[list[Path] | None, typer.Option(help="Of incident events.")] = None,
    changes: Annotated[list[Path] | None, typer.Option(help="Of change events.")] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[EVENTS=]MAPPING",
            help="Source mapping of the request files, or of the files EVENTS (`access*.log`).",
        ),
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(help="Read this source topic from Kafka instead; without, all of them."),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="WHEN",
            help="From Kafka, records since: a time, `6h` ago, `earliest`, `requests/0=1234`.",
        ),
    ] = None,
    end: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="WHEN", help="And before: a time, `1h` ago, `latest`, an offset."
        ),
    ] = None,
    status_at: Annotated[
        int | None,
        typer.Option(parser=moment_ms, metavar="TIME", help="Print the statuses then instead."),
    ] = None,
    early: Annotated[bool, typer.Option(help="Print what is told early too.")] = False,
    dedup_records: Annotated[
        int | None,
        typer.Option(
            help="Leave out an event whose id one of so many records before it has; 0: none."
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Other definitions: print what differs with them, alerts and budgets."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Of what `--against` prints: text (default), json, ndjson."),
    ] = None,
) -> None:
    """Evaluate recorded events, of files or of Kafka topics; print the output events as NDJSON."""
    session = session_of(context)
    if against is not None and early:
        raise typer.BadParameter("--against compares what is told on time: leave out --early")
    if against is None and form not in (None, Format.NDJSON):
        raise typer.BadParameter("the output events are NDJSON: --format is for --against")
    session.options = {**session.options, "dedup_records": dedup_records}
    now_ms = session.parts.clock()
    files = RecordedFiles(
        tuple(requests or ()),
        tuple(incidents or ()),
        tuple(changes or ()),
        tuple(map(_mapping, mapping or ())),
    )
    range_ = _range(topic or [], start or [], end or [], now_ms)
    events = _chosen(files, range_)
    with progress(session.parts.err, "replaying") as meter:
        request = ReplayRequest(
            (definitions,), events, session.settings(), now_ms, status_at, early, meter
        )
        if against is None:
            session.parts.replay(request, session.parts.out)
            return
        found = session.parts.compare(request, [against])
    print_comparison(session, found, str(definitions), str(against), form or Format.TEXT)


def _chosen(files: RecordedFiles, range_: TopicRange | None) -> RecordedFiles | TopicRange:
    if range_ is None:
        if not any(files.all()):
            raise typer.BadParameter(
                "name a file of events: --requests FILE; or --from TIME, to read from Kafka"
            )
        return files
    if any(files.all()):
        raise typer.BadParameter("events come from files or from Kafka: not both at once")
    if files.mappings:
        raise typer.BadParameter(
            "--mapping is for files: topics have theirs from the settings, SERVICELEVEL_MAPPINGS"
        )
    return range_


def _range(topics: list[str], start: list[str], end: list[str], now_ms: int) -> TopicRange | None:
    """None where nothing of Kafka is asked for."""
    if not (topics or start or end):
        return None
    edges = edge(start, now_ms, "earliest", "--from"), edge(end, now_ms, "latest", "--to")
    return TopicRange(tuple(topics), *edges)


def _mapping(text: str) -> FileMapping:
    pattern, sign, path = text.rpartition("=")
    if not sign or Path(text).exists():
        return FileMapping(Path(text))
    if not pattern or not path:
        raise typer.BadParameter(f"`{text}`: write --mapping EVENTS=MAPPING")
    return FileMapping(Path(path), pattern)
