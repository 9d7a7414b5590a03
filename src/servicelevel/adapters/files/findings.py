"""What is found in files: each finding names file, line, column, rule and what to write."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from servicelevel.adapters.files.yaml_nodes import Key, KeyPath, Position, YamlDocument

FindingSeverity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong or worth knowing; line and column count from 1."""

    file: Path
    line: int
    column: int
    rule: str  # such as "openslo/unknown-field"
    message: str
    severity: FindingSeverity = "error"

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.rule}]"
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A value within a document within a file."""

    file: Path
    document: YamlDocument
    path: KeyPath = ()

    def at(self, *keys: Key) -> "Site":
        """A value further inside."""
        return Site(self.file, self.document, (*self.path, *keys))

    def position(self, *, of_key: bool = False) -> Position:
        """Line and column of the value, or of its key."""
        return self.document.place(self.path, of_key=of_key)

    def position_in_text(self, line: int, column: int) -> Position:
        """The place of a line and column of the text that stands here, as near as is known."""
        start = self.document.texts.get(self.path)
        if start is None:
            return self.position()
        return Position(start.line + line - 1, start.column + column - 1)


@dataclass(slots=True)
class Report:
    """Collects findings: about the documents, and about what is valid but not evaluated.

    In `unsupported`, an error keeps the SLO out of the catalogue; with a warning it is evaluated
    all the same, without the thing named.
    """

    findings: list[Finding] = field(default_factory=list)
    unsupported: list[Finding] = field(default_factory=list)

    def error(self, site: Site, rule: str, message: str, *, of_key: bool = False) -> None:
        """A document is wrong."""
        self._add(self.findings, site, rule, message, "error", of_key)

    def error_in_text(self, site: Site, line: int, column: int, rule: str, message: str) -> None:
        """A document is wrong at a line and column of the text at the site."""
        position = site.position_in_text(line, column)
        self.findings.append(Finding(site.file, *position, rule, message))

    def warn(self, site: Site, rule: str, message: str) -> None:
        """A document is valid, but look here."""
        self._add(self.findings, site, rule, message, "warning", False)

    def refuse(self, site: Site, rule: str, message: str) -> None:
        """A valid document that cannot be evaluated."""
        self._add(self.unsupported, site, rule, message, "error", False)

    def ignore(self, site: Site, rule: str, message: str) -> None:
        """A part of a valid document that is left aside."""
        self._add(self.unsupported, site, rule, message, "warning", False)

    def _add(
        self,
        to: list[Finding],
        site: Site,
        rule: str,
        message: str,
        severity: FindingSeverity,
        of_key: bool,
    ) -> None:
        position = site.position(of_key=of_key)
        to.append(Finding(site.file, *position, rule, message, severity))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, by file, line and column."""
    return sorted(set(findings))
