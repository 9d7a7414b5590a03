"""Writes the reference pages that follow from the code: `reference.py [--check]`."""

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import orjson
import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from servicelevel.adapters.kafka.topics import topic_specs
from servicelevel.entrypoints.cli.app import build_app
from servicelevel.schemas.reference import asyncapi_document, json_schemas
from servicelevel.settings import Settings

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- Made by scripts/reference: change the code, then run it. -->\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Every page that is made, and its text."""
    yield REFERENCE / "settings.md", settings_page()
    yield REFERENCE / "cli.md", cli_page()
    yield REFERENCE / "topics.md", topics_page()
    schemas = REFERENCE / "schemas"
    for name, schema in json_schemas().items():
        yield schemas / f"{name}.json", as_json(schema)
    yield schemas / "asyncapi.json", as_json(asyncapi_document())


def as_json(document: object) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n"


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        MADE,
        "A setting is taken from the first of these that has it: an option of the command, the",
        "environment variable, the settings file (`--settings FILE` or `SERVICELEVEL_SETTINGS`;",
        "`.toml`, `.yaml`), the default. A key or variable that is not in this table is refused.",
        "Lists are comma-separated in a variable; `SERVICELEVEL_MAPPINGS` is `topic=file,…`. Paths",
        "in a settings file start at its folder. A secret may lie in a file of its own that",
        "`SERVICELEVEL_<NAME>_FILE` names.",
        "",
        "| key | variable | type | default | meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        lines.append(
            f"| `{name}` | `SERVICELEVEL_{name.upper()}` | {type_name(field.annotation)} "
            f"| {default_text(default)} | {field.description} |"
        )
    return "\n".join(lines) + "\n"


def type_name(annotation: Any) -> str:
    text = str(annotation)
    if "SecretStr" in text or annotation is SecretStr:
        return "secret"
    if "Literal" in text:
        choices = (annotation, *get_args(annotation))
        values = next(get_args(a) for a in choices if get_origin(a) is Literal)
        return ", ".join(f"`{value}`" for value in values)
    if "tuple" in text:
        return "list"
    if "dict" in text:
        return "table"
    for known, name in (("Path", "path"), ("bool", "true or false"), ("int", "integer")):
        if known in text:
            return name
    return "text"


def default_text(default: Any) -> str:
    if default is None or default is PydanticUndefined or default in ("", (), {}):
        return "-"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{', '.join(default)}`" if isinstance(default, tuple) else f"`{default}`"


def topics_page() -> str:
    lines = [
        "# Topics",
        "",
        MADE,
        "`servicelevel topics create` makes those that are missing, `topics check` compares.",
        "Names are without `topic_prefix`, partitions those of the default settings: the topics",
        "that are read are made with `partitions`, all others with `counts_partitions`. Only where",
        "it says *exactly* is another number refused. The changelog's name begins with `group`.",
        "Outputs are CloudEvents 1.0 JSON ([schemas](schemas), and as",
        "[AsyncAPI](schemas/asyncapi.json)); drop repeats by `id`.",
        "",
        "| topic | partitions | configuration | content |",
        "| --- | --- | --- | --- |",
    ]
    for spec in topic_specs(Settings()):
        configs = ", ".join(f"`{key}={value}`" for key, value in spec.configs.items())
        partitions = f"exactly {spec.partitions}" if spec.exact else spec.partitions
        lines.append(
            f"| `{spec.name}` | {partitions} | {configs or 'as the broker has it'} "
            f"| {spec.purpose} |"
        )
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    lines = [
        "# Command",
        "",
        MADE,
        "Exit codes: 0 fine, 1 the thing checked is not fine, 2 wrong use, 3 a dependency could",
        "not be reached. Data goes to standard output, log lines and errors to standard error.",
        "",
    ]
    lines += command_lines("servicelevel", typer.main.get_command(build_app()), "##")
    return "\n".join(lines).rstrip() + "\n"


def command_lines(name: str, command: Any, level: str) -> Iterator[str]:
    yield from (f"{level} `{name}`", "", (command.help or "").strip(), "")
    parameters = [p for p in command.params if p.name != "help"]
    if parameters:
        yield from ("| argument or option | default | meaning |", "| --- | --- | --- |")
        for parameter in parameters:
            yield parameter_line(parameter)
        yield ""
    for sub, found in getattr(command, "commands", {}).items():
        yield from command_lines(f"{name} {sub}", found, level + "#")


def parameter_line(parameter: Any) -> str:
    is_option = parameter.opts[0].startswith("-")
    names = ", ".join(
        f"`{name if is_option else name.upper()}`"
        for name in (*parameter.opts, *parameter.secondary_opts)
    )
    shown = parameter.default
    if isinstance(shown, Enum):
        names += f" {', '.join(f'`{choice.value}`' for choice in type(shown))}"
        shown = shown.value
    if parameter.required:
        default = "required"
    elif shown is None or callable(shown):
        default = "-"
    else:
        default = f"`{str(shown).lower()}`"
    return f"| {names} | {default} | {parameter.help or ''} |"


def main(check: bool) -> int:
    stale = [(path, text) for path, text in pages() if not is_current(path, text)]
    for path, text in stale:
        print(f"{'not current' if check else 'wrote'}: {path}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and bool(stale))


def is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
