"""Reads source mappings: YAML files of kind `SourceMapping`, and the ones that ship with us."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from servicelevel.application.mapping import SourceMapping
from servicelevel.errors import MappingError
from servicelevel.schemas.mapping import SourceMappingDocument


def load_mapping(path: Path) -> SourceMapping:
    """The mapping of a YAML file, or of a bare name such as `nginx` one that ships with us.

    Raises MappingError, which names the file and the fields.
    """
    document = load_mapping_document(path)
    return SourceMapping(document.spec)


def load_mapping_document(path: Path) -> SourceMappingDocument:
    """The document that `load_mapping` compiles, checked."""
    where, text = _text(path)
    try:
        raw: Any = yaml.safe_load(text)
        return SourceMappingDocument.model_validate(raw)
    except yaml.YAMLError as error:
        raise MappingError(f"{where}: no YAML: {error}") from error
    except RecursionError as error:
        raise MappingError(f"{where}: nested too deep") from error
    except ValidationError as error:
        raise MappingError(_explain(where, error)) from error


def shipped_mappings() -> dict[str, str]:
    """The YAML of each mapping that ships with us, by name."""
    folder = files("servicelevel") / "policies" / "mappings"
    return {
        entry.name.removesuffix(".yaml"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    }


def _text(path: Path) -> tuple[str, str]:
    if path.suffix == "" and path.parent == Path() and not path.exists():
        shipped = shipped_mappings()
        if path.name not in shipped:
            known = ", ".join(sorted(shipped))
            raise MappingError(f"{path}: no such file; the mappings that ship are: {known}")
        return f"{path.name} (shipped)", shipped[path.name]
    try:
        return str(path), path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: cannot be read: {error}") from error


def _explain(where: str, error: ValidationError) -> str:
    problems = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"]) or "document"
        problems.append(f"{where}: {field}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(problems)
