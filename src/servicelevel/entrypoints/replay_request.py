"""What a replay is asked for; light to import, as every command does."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from servicelevel.application.ports import Meter, NoMeter
from servicelevel.application.topic_range import TopicRange
from servicelevel.domain.model import EventKind
from servicelevel.settings import Settings


@dataclass(frozen=True, slots=True)
class FileMapping:
    """A source mapping for the files of events that `pattern` fits; empty: for request files.

    `pattern` is a file as it was named, or has `*`, `?` and `[…]` as in a shell.
    """

    mapping: Path
    pattern: str = ""

    def fits(self, kind: EventKind, file: Path) -> bool:
        """Whether it is for this file."""
        if not self.pattern:
            return kind == "request"
        return str(file) == str(Path(self.pattern)) or fnmatchcase(str(file), self.pattern)


@dataclass(frozen=True, slots=True)
class RecordedFiles:
    """Files by kind of event; `-` is standard input. The first mapping that fits a file holds,
    those with a pattern before that for all."""

    requests: tuple[Path, ...] = ()
    incidents: tuple[Path, ...] = ()
    changes: tuple[Path, ...] = ()
    mappings: tuple[FileMapping, ...] = ()

    def all(self) -> Iterator[tuple[EventKind, Path]]:
        """Every file with its kind of events, in the order they are read."""
        by_kind: tuple[tuple[EventKind, tuple[Path, ...]], ...] = (
            ("request", self.requests),
            ("incident", self.incidents),
            ("change", self.changes),
        )
        for kind, files in by_kind:
            yield from ((kind, file) for file in files)

    def mapping(self, kind: EventKind, file: Path) -> FileMapping | None:
        """That of a file."""
        fitting = [m for m in self.mappings if m.fits(kind, file)]
        return min(fitting, key=lambda m: not m.pattern, default=None)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Events to evaluate with definitions, and what to tell of them.

    `now_ms` is the wall clock; times in its future are refused. With `status_at_ms` the statuses
    then are told, else the transitions, those told early only if asked for.
    """

    definitions: tuple[Path, ...]
    events: RecordedFiles | TopicRange
    settings: Settings
    now_ms: int
    status_at_ms: int | None = None
    early: bool = False
    meter: Meter = field(default_factory=NoMeter)
