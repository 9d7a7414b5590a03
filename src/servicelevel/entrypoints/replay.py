"""`servicelevel replay`: recorded events from files or topics, outputs as NDJSON."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import structlog

from servicelevel.adapters.files.lines import STANDARD_INPUT, RecordedFile, bytes_of
from servicelevel.adapters.files.mapping import load_mapping_document
from servicelevel.application.compare import Outcome, SloDifference, compare
from servicelevel.application.decode import DecodeLimits
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.replay import Recording, Replayed, ReplayOptions, replay
from servicelevel.bootstrap import evaluation_policy, read_catalogue, read_mappings
from servicelevel.domain.model import EventKind
from servicelevel.domain.outputs import DeadLetter
from servicelevel.entrypoints.collecting import collected_seldom
from servicelevel.entrypoints.replay_request import RecordedFiles, ReplayRequest
from servicelevel.errors import UsageError
from servicelevel.schemas.outputs import transition_event
from servicelevel.schemas.status_json import status_data

Record = Callable[[], list[Recording]]
"""The recordings from their beginning, each time it is called."""

_NAMED = 10  # dead letters that are logged
log = structlog.get_logger(__name__)


def run_replay(request: ReplayRequest, out: TextIO) -> Replayed:
    """Replay events and print the output events, or the statuses.

    Raises DefinitionError, MappingError, DependencyError; UsageError for what cannot be asked.
    """
    catalogue = read_catalogue(request.definitions, lenient=request.settings.lenient)
    with _recorded(request, 1) as recordings, collected_seldom():
        told = replay(catalogue, recordings(), _options(request))
    if request.status_at_ms is None:
        lines = [transition_event(transition).decode() for transition in told.transitions]
    else:
        lines = [status_data(status).decode() for status in told.statuses]
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
    _log(request, told, outputs=len(lines))
    return told


def compare_replays(request: ReplayRequest, against: Sequence[Path]) -> list[SloDifference]:
    """Replay the same events through both sets of definitions; on-time transitions are compared.

    Raises UsageError where a file cannot be read twice, and what `run_replay` does.
    """
    if isinstance(request.events, RecordedFiles):
        for _, path in request.events.all():
            if path == STANDARD_INPUT or (path.exists() and not path.is_file()):
                raise UsageError(
                    f"{path} cannot be read twice, as a comparison must: write the events to a file"
                )
    lenient = request.settings.lenient
    sets = [read_catalogue(tuple(s), lenient=lenient) for s in (request.definitions, against)]
    options = replace(_options(replace(request, early=False)), statuses=True)
    with _recorded(request, len(sets)) as recordings, collected_seldom():
        told = [replay(catalogue, recordings(), options) for catalogue in sets]
    _log(request, told[0], outputs=len(told[0].transitions))
    tried, other = (Outcome(each.transitions, each.statuses) for each in told)
    return compare(tried, other)


@contextmanager
def _recorded(request: ReplayRequest, times: int) -> Iterator[Record]:
    """Recordings to be read so many times."""
    meter, events = request.meter, request.events
    if isinstance(events, RecordedFiles):
        sizes = [bytes_of(path) for _, path in events.all()]
        known = [size for size in sizes if size is not None]
        meter.expect(times * sum(known) if len(known) == len(sizes) else None)
        mappings = _file_mappings(events)
        yield lambda: [
            Recording(f"{kind}s", kind, RecordedFile(path, meter), mappings.get((kind, path)))
            for kind, path in events.all()
        ]
        return
    from servicelevel.adapters.kafka.recorded import open_topics  # files need no client

    by_topic = read_mappings(request.settings)
    with open_topics(request.settings, events) as recorded:
        meter.expect(times * recorded.size)
        yield lambda: recorded.recordings(by_topic, meter)


def _file_mappings(files: RecordedFiles) -> dict[tuple[EventKind, Path], SourceMapping]:
    for given in files.mappings:
        if given.pattern and not any(given.fits(kind, path) for kind, path in files.all()):
            raise UsageError(
                f"--mapping {given.pattern}={given.mapping}: no file of events is called so; "
                "write it as in --requests, --incidents or --changes"
            )
    found = {}
    documents = {given: load_mapping_document(given.mapping).spec for given in files.mappings}
    for kind, path in files.all():
        if mapping := files.mapping(kind, path):
            spec = documents[mapping]
            if spec.event != kind:
                raise UsageError(
                    f"{mapping.mapping} makes {spec.event} events, and {path} is read as "
                    f"{kind} events: name it with --{spec.event}s"
                )
            found[kind, path] = SourceMapping(spec)
    return found


def _options(request: ReplayRequest) -> ReplayOptions:
    settings = request.settings
    return ReplayOptions(
        now_ms=request.now_ms,
        policy=evaluation_policy(settings.model_copy(update={"early": request.early})),
        late_horizon_ms=settings.late_horizon_ms,
        limits=DecodeLimits(settings.max_event_bytes, settings.max_future_ms),
        status_at_ms=request.status_at_ms,
        dedup_records=settings.dedup_records,
        keep_asides=_NAMED,
    )


def _log(request: ReplayRequest, told: Replayed, *, outputs: int) -> None:
    log.info("replayed", **told.tally._asdict(), outputs=outputs)
    for letter in told.dead:
        log.warning(
            "could not be read",
            **_place(request, letter),
            reason=letter.reason,
            detail=letter.detail,
        )


def _place(request: ReplayRequest, letter: DeadLetter) -> dict[str, object]:
    if isinstance(request.events, RecordedFiles):
        files = [path for kind, path in request.events.all() if letter.topic == f"{kind}s"]
        return {"file": str(files[letter.partition]), "line": letter.offset + 1}
    return {"source": f"{letter.topic}/{letter.partition}", "offset": letter.offset}
