"""What the documentation tells a reader to type and to set is there."""

import contextlib
import re
import tomllib
from pathlib import Path

import pytest
import typer

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.entrypoints.cli.app import build_app
from servicelevel.settings import Settings
from servicelevel.settings_file import NOT_OF_SETTINGS, load_settings
from tests.builders.cli import Outside, servicelevel
from tests.unit.docs.pages import (
    ROOT,
    blocks,
    commands,
    definitions_to_copy,
    mentioned_commands,
    name,
    pages,
)

README = ROOT / "README.md"
OWN_KAFKA = ROOT / "docs" / "how-to" / "own-kafka.md"
WRONG_USE = 2


def _with_commands() -> list[Path]:
    return [page for page in pages() if any(commands(page))]


@pytest.mark.parametrize("page", _with_commands(), ids=name)
def test_commands_are_rightly_used(page: Path, tmp_path: Path) -> None:
    environ = {"SERVICELEVEL_REDIS_URL": "redis://127.0.0.1:6379/0"}
    (tmp_path / "servicelevel.toml").write_text("")
    for file, text in definitions_to_copy(page).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    with contextlib.chdir(tmp_path):
        for arguments in commands(page):
            done = servicelevel(Outside(environ=environ), *arguments)
            assert done.code != WRONG_USE, (arguments, done.err)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_commands_and_options_mentioned_exist(page: Path) -> None:
    for words in mentioned_commands(page):
        command = typer.main.get_command(build_app())
        known = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            inner = getattr(command, "commands", {})
            if word in inner:
                command = inner[word]
                known |= {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            elif word.startswith("--"):
                assert word.partition("=")[0] in known, words
            elif inner:
                assert word in {"…", "create|check"}, words


@pytest.mark.parametrize("page", pages(), ids=name)
def test_variables_exist(page: Path) -> None:
    found = set(re.findall(r"SERVICELEVEL_([A-Z][A-Z_]*[A-Z])", page.read_text("utf-8")))
    names = {variable.removesuffix("_FILE").lower() for variable in found - NOT_OF_SETTINGS}
    assert names <= set(Settings.model_fields)


def test_the_definitions_of_the_readme_can_be_evaluated(tmp_path: Path) -> None:
    files = definitions_to_copy(README)
    assert files
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    loaded = load_definitions([tmp_path])
    assert loaded.is_complete
    assert not loaded.findings
    assert loaded.catalogue.slos


def test_the_settings_file_of_the_how_to_can_be_read(tmp_path: Path) -> None:
    (text,) = (block.text for block in blocks(OWN_KAFKA) if block.language == "toml")
    file = tmp_path / "servicelevel.toml"
    file.write_text(text)
    settings = load_settings({}, file)
    assert settings.model_fields_set == set(tomllib.loads(text))
