"""Finds definition files and reads the OpenSLO documents in them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from servicelevel.adapters.files.explain import shown, validated
from servicelevel.adapters.files.findings import Finding, Report, Site
from servicelevel.adapters.files.yaml_nodes import YamlDocument, read_yaml
from servicelevel.errors import DependencyError
from servicelevel.schemas.extensions import EXTENSION_KINDS, EXTENSION_VERSION, AnyExtension
from servicelevel.schemas.openslo.common import API_VERSION
from servicelevel.schemas.openslo.kinds import KINDS, AnyDocument

MAX_FILE_BYTES = 4 * 1024 * 1024
SUFFIXES = (".yaml", ".yml")
OTHER_VERSIONS = {
    "openslo/v1alpha": "timeWindow with a duration for timeWindows, and an indicator with "
    "metricSource for ratioMetrics and queries",
    "openslo.com/v2alpha": "indicator and indicatorRef for sli and sliRef, and metricSource in "
    "the metrics",
}
"""What else changes on the way to our version."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A valid document and where it stands."""

    model: AnyDocument | AnyExtension
    site: Site

    @property
    def name(self) -> str:
        """Unique among the documents of its kind."""
        return self.model.metadata.name


def read_documents(paths: Iterable[Path], report: Report, *, lenient: bool) -> list[Placed]:
    """Every valid document in these files and folders, in order; what is wrong is reported.

    Raises DependencyError where a path cannot be read.
    """
    placed: list[Placed] = []
    for file in _files(paths, report):
        for site in _sites(file, report):
            model = _document(site, report, lenient=lenient)
            if model is not None:
                placed.append(Placed(model, site))
    return placed


def _files(paths: Iterable[Path], report: Report) -> Iterator[Path]:
    """Files as given, and those in folders by name; each once."""
    seen: set[Path] = set()
    for path in paths:
        found = _in_folder(path) if path.is_dir() else [path]
        if not found:
            message = f"no {' or '.join(SUFFIXES)} file is in this folder: name another one"
            report.findings.append(Finding(path, 1, 1, "file/none", message, "warning"))
        for file in found:
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _in_folder(folder: Path) -> list[Path]:
    """By path. Hidden ones are left out: a mounted ConfigMap keeps its old versions there."""

    def fail(error: OSError) -> None:
        raise DependencyError(f"{folder}: cannot be read ({error.strerror})") from error

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [f for f in folders if not f.startswith(".")]
        wanted = (n for n in names if n.endswith(SUFFIXES) and not n.startswith("."))
        found.extend(Path(place) / name for name in wanted)
    return sorted(found)


def _sites(file: Path, report: Report) -> Iterator[Site]:
    """The documents of a file; a list holds several."""
    text = _text(file, report)
    if text is None:
        return
    documents, problems = read_yaml(text)
    for problem in problems:
        line, column = problem.position
        report.findings.append(Finding(file, line, column, problem.rule, problem.message))
    for document in documents:
        if isinstance(document.value, list):
            for index in range(len(document.value)):
                yield Site(file, document, (index,))
        else:
            yield Site(file, document)


def _text(file: Path, report: Report) -> str | None:
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"{file}: cannot be read ({reason}): name an existing file or folder"
        raise DependencyError(message) from error
    if len(raw) > MAX_FILE_BYTES:
        message = f"is larger than {MAX_FILE_BYTES} bytes: split it"
        report.findings.append(Finding(file, 1, 1, "file/size", message))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = "is not UTF-8 from here on: save it as UTF-8"
        report.findings.append(Finding(file, line, column, "file/encoding", message))
        return None


def _document(site: Site, report: Report, *, lenient: bool) -> AnyDocument | AnyExtension | None:
    """The document at a site, or None after reporting why it is none."""
    value = _value(site.document, site)
    if not isinstance(value, dict):
        message = f"a document must be a mapping with apiVersion and kind, it is {shown(value)}"
        report.error(site, "openslo/document", message)
        return None
    version, kind = value.get("apiVersion"), value.get("kind")
    kinds: Mapping[str, type[AnyDocument] | type[AnyExtension]] = KINDS
    if version == EXTENSION_VERSION:
        kinds = EXTENSION_KINDS
    elif version != API_VERSION:
        is_there = "apiVersion" in value
        problem = f"is {shown(version)}" if is_there else "is missing"
        message = f"`apiVersion` {problem}: write apiVersion: {API_VERSION}"
        if isinstance(version, str) and version in OTHER_VERSIONS:
            message += f"; then {OTHER_VERSIONS[version]}"
        elif isinstance(kind, str) and kind in EXTENSION_KINDS:
            message += f", or {EXTENSION_VERSION} for our own kinds"
        where = site.at("apiVersion") if is_there else site
        report.error(where, "openslo/api-version", message)
        return None
    if not isinstance(kind, str) or kind not in kinds:
        close = get_close_matches(kind, kinds, n=1, cutoff=0.5) if isinstance(kind, str) else []
        choice = close[0] if close else f"one of {', '.join(kinds)}"
        problem = f"is {shown(kind)}" if "kind" in value else "is missing"
        for other, its in ((API_VERSION, KINDS), (EXTENSION_VERSION, EXTENSION_KINDS)):
            if isinstance(kind, str) and kind in its:
                choice = f"apiVersion: {other} with it, or {choice}"
        message = f"`kind` {problem}: write {choice}"
        report.error(site.at("kind"), "openslo/kind", message)
        return None
    return validated(kinds[kind], value, site, report, lenient=lenient)


def _value(document: YamlDocument, site: Site) -> object:
    return document.value[site.path[0]] if site.path else document.value
