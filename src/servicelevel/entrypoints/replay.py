"""`servicelevel replay`: recorded events from files, outputs as NDJSON."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TextIO

import structlog

from servicelevel.adapters.files.lines import STANDARD_INPUT, read_lines
from servicelevel.adapters.files.mapping import load_mapping
from servicelevel.application.compare import Outcome, SloDifference, compare
from servicelevel.application.decode import DecodeLimits
from servicelevel.application.ports import WallClock
from servicelevel.application.replay import Recording, Replayed, ReplayOptions, replay
from servicelevel.bootstrap import evaluation_policy, read_catalogue
from servicelevel.domain.model import EventKind
from servicelevel.errors import UsageError
from servicelevel.schemas.outputs import cloudevent, encode, status_document
from servicelevel.settings import Settings

Files = Mapping[EventKind, Sequence[Path]]
log = structlog.get_logger(__name__)


def run_replay(
    definitions: Sequence[Path],
    *,
    requests: Sequence[Path],
    incidents: Sequence[Path],
    changes: Sequence[Path],
    mapping: Path | None,
    status_at_ms: int | None,
    early: bool,
    settings: Settings,
    clock: WallClock,
    out: TextIO,
) -> Replayed:
    """Replay files (`-` is standard input) and print the output events, or the statuses.

    `mapping` is applied to the request files. Raises DefinitionError, DependencyError.
    """
    catalogue = read_catalogue(tuple(definitions), lenient=settings.lenient)
    files: Files = {"request": requests, "incident": incidents, "change": changes}
    options = _options(settings, clock(), status_at_ms=status_at_ms, early=early)
    told = replay(catalogue, _recordings(files, mapping), options)
    if status_at_ms is None:
        lines = [encode(cloudevent(transition)).decode() for transition in told.transitions]
    else:
        lines = [status_document(status).decode() for status in told.statuses]
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
    _log(told, outputs=len(lines))
    return told


def compare_replays(
    definitions: Sequence[Path],
    against: Sequence[Path],
    *,
    requests: Sequence[Path],
    incidents: Sequence[Path],
    changes: Sequence[Path],
    mapping: Path | None,
    status_at_ms: int | None,
    settings: Settings,
    clock: WallClock,
) -> list[SloDifference]:
    """Replay the same files through both sets of definitions; on-time transitions are compared.

    Raises UsageError where a file cannot be read twice, DefinitionError, DependencyError.
    """
    files: Files = {"request": requests, "incident": incidents, "change": changes}
    for path in chain.from_iterable(files.values()):
        if path == STANDARD_INPUT or (path.exists() and not path.is_file()):
            raise UsageError(
                f"{path} cannot be read twice, as a comparison must: write the events to a file"
            )
    sets = [read_catalogue(tuple(s), lenient=settings.lenient) for s in (definitions, against)]
    options = _options(settings, clock(), status_at_ms=status_at_ms, early=False)
    options = replace(options, statuses=True)
    told = [replay(catalogue, _recordings(files, mapping), options) for catalogue in sets]
    _log(told[0], outputs=len(told[0].transitions))
    tried, other = (Outcome(each.transitions, each.statuses) for each in told)
    return compare(tried, other)


def _recordings(files: Files, mapping: Path | None) -> list[Recording]:
    mapped = load_mapping(mapping) if mapping is not None else None
    return [
        Recording(f"{kind}s", kind, read_lines(path), mapped if kind == "request" else None)
        for kind, paths in files.items()
        for path in paths
    ]


def _options(
    settings: Settings, now_ms: int, *, status_at_ms: int | None, early: bool
) -> ReplayOptions:
    return ReplayOptions(
        now_ms=now_ms,
        policy=evaluation_policy(settings.model_copy(update={"early": early})),
        late_horizon_ms=settings.late_horizon_ms,
        limits=DecodeLimits(settings.max_event_bytes, settings.max_future_ms),
        status_at_ms=status_at_ms,
    )


def _log(told: Replayed, *, outputs: int) -> None:
    log.info("replayed", **told.tally._asdict(), outputs=outputs)
    for letter in told.dead[:10]:
        log.warning(
            "could not be read",
            line=letter.offset + 1,
            reason=letter.reason,
            detail=letter.detail,
        )
