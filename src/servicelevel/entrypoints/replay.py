"""`servicelevel replay`: recorded events from files, outputs as NDJSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import structlog

from servicelevel.adapters.files.lines import read_lines
from servicelevel.adapters.files.mapping import load_mapping
from servicelevel.application.decode import DecodeLimits
from servicelevel.application.evaluate import EvaluationPolicy
from servicelevel.application.ports import WallClock
from servicelevel.application.replay import Recording, Replayed, ReplayOptions, replay
from servicelevel.bootstrap import evaluation_policy, read_catalogue
from servicelevel.domain.model import EventKind
from servicelevel.schemas.outputs import message, status_document
from servicelevel.settings import Settings

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
    mapped = load_mapping(mapping) if mapping is not None else None
    kinds: tuple[tuple[EventKind, Sequence[Path]], ...] = (
        ("request", requests),
        ("incident", incidents),
        ("change", changes),
    )
    recordings = [
        Recording(f"{kind}s", kind, read_lines(path), mapped if kind == "request" else None)
        for kind, paths in kinds
        for path in paths
    ]
    policy = _policy(settings, early=early)
    told = replay(
        catalogue,
        recordings,
        ReplayOptions(
            now_ms=clock(),
            policy=policy,
            late_horizon_ms=settings.late_horizon_ms,
            limits=DecodeLimits(settings.max_event_bytes, settings.max_future_ms),
            status_at_ms=status_at_ms,
        ),
    )
    if status_at_ms is None:
        lines = [message(transition).value.decode() for transition in told.transitions]
    else:
        lines = [status_document(status).decode() for status in told.statuses]
    out.writelines(f"{line}\n" for line in lines)
    out.flush()
    log.info("replayed", **told.tally._asdict(), outputs=len(lines))
    for letter in told.dead[:10]:
        log.warning(
            "could not be read",
            line=letter.offset + 1,
            reason=letter.reason,
            detail=letter.detail,
        )
    return told


def _policy(settings: Settings, *, early: bool) -> EvaluationPolicy:
    return evaluation_policy(settings.model_copy(update={"early": early}))
