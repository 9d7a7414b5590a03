"""Puts the settings together: options over environment over file over defaults."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from servicelevel.errors import SettingsError
from servicelevel.settings import Settings

PREFIX = "SERVICELEVEL_"
_SECRETS = ("sasl_password", "ssl_password", "redis_url")
_PATHS = ("ssl_cafile", "ssl_certfile", "ssl_keyfile")
NOT_OF_SETTINGS = frozenset({"SETTINGS", "WORKER", "KAFKA_LIBS", "TESTS_REQUIRE_ALL"})
"""Variables with our prefix that say no setting: the last two are for tests alone."""
# Kubernetes gives every container such variables of each service whose name begins with ours.
_OF_KUBERNETES = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_ADDR|_PORT|_PROTO)?)?)"
)


def load_settings(
    environ: Mapping[str, str], file: Path | None = None, options: Mapping[str, Any] | None = None
) -> Settings:
    """The settings in force; `options` that are None are not set.

    Without `file`, the file that `SERVICELEVEL_SETTINGS` names, if any. A secret may be read from
    a file of its own: `SERVICELEVEL_SASL_PASSWORD_FILE` and so on.
    Raises `SettingsError` that names the file or variable, and the key.
    """
    if file is None and environ.get(PREFIX + "SETTINGS"):
        file = Path(environ[PREFIX + "SETTINGS"])
    layers: dict[str, Mapping[str, Any]] = {
        "file": {} if file is None else _from_file(file),
        "environment": _from_environment(environ),
        "option": {k: v for k, v in (options or {}).items() if v is not None},
    }
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for layer, values in layers.items():
        merged.update(values)
        origin.update(dict.fromkeys(values, layer))
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise SettingsError(_explain(error, origin, file)) from None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: cannot be read: {error}") from None
    try:
        match file.suffix:
            case ".toml":
                values: Any = tomllib.loads(text)
            case ".yaml" | ".yml":
                values = yaml.safe_load(text) or {}
            case _:
                raise SettingsError(f"{file}: name it .toml, .yaml or .yml")
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{file}: {error}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: must be keys and values")
    for key in values:
        if key not in Settings.model_fields:
            raise SettingsError(f"{file}: {_unknown(str(key), str(key), Settings.model_fields)}")
    return {key: _beside(file, key, value) for key, value in values.items()}


def _beside(file: Path, key: str, value: Any) -> Any:
    """Paths in a settings file start at its folder, wherever the command is called."""
    if key == "definitions" and isinstance(value, list):
        return tuple(file.parent / str(path) for path in value)
    if key == "definitions" and isinstance(value, str):
        return (file.parent / value,)
    if key == "mappings" and isinstance(value, dict):
        return {topic: file.parent / str(path) for topic, path in value.items()}
    if key in _PATHS and isinstance(value, str):
        return file.parent / value
    return value


def _unknown(where: str, name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"{where}: there is no such setting" + (f"; is it {near[0]}?" if near else "")


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = [*map(str.upper, Settings.model_fields), *sorted(NOT_OF_SETTINGS)]
    known += [f"{name.upper()}_FILE" for name in _SECRETS]
    given = [v.removeprefix(PREFIX) for v in environ if v.startswith(PREFIX)]
    unknown = sorted(v for v in given if v not in known and not _OF_KUBERNETES.fullmatch(v))
    if unknown:
        raise SettingsError("; ".join(_unknown(PREFIX + v, v, known) for v in unknown))


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    _refuse_unknown_variables(environ)
    values: dict[str, Any] = {
        name: environ[PREFIX + name.upper()]
        for name in Settings.model_fields
        if PREFIX + name.upper() in environ
    }
    for name in _SECRETS:
        variable = f"{PREFIX}{name.upper()}_FILE"
        if variable not in environ:
            continue
        try:
            values[name] = Path(environ[variable]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}: cannot be read: {error}") from None
    return values


def _explain(error: ValidationError, origin: Mapping[str, str], file: Path | None) -> str:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        text = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            lines.append(text)
            continue
        key = str(problem["loc"][0])
        match origin.get(key):
            case "environment":
                where = PREFIX + key.upper()
            case "file":
                where = f"{file}: {key}"
            case _:
                where = key
        lines.append(f"{where}: {text}")
    return "; ".join(lines)
