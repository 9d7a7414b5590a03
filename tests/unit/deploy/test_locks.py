"""The locks hold what pyproject.toml asks for, exactly, with hashes, from no named place."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "requirements"
LOCKS = sorted(FOLDER.glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {"runtime": (), "demo": ("embedded", "build"), "dev": ("embedded", "build", "dev")}


def blocks(lock: Path) -> list[str]:
    """One entry a package: its line and those of its hashes."""
    return re.split(r"\n(?=\S)", lock.read_text().strip())


def pinned(lock: Path) -> dict[str, Version]:
    found = [re.match(r"([\w.-]+)==([\w.!+]+)", block) for block in blocks(lock)]
    return {canonicalize_name(match[1]): Version(match[2]) for match in found if match}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_each_package_has_a_version_and_hashes(lock: Path) -> None:
    assert len(pinned(lock)) == len(blocks(lock))
    assert all("--hash=sha256:" in block for block in blocks(lock))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_place_is_named(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ ", lock.read_text())


@pytest.mark.parametrize("name", EXTRAS)
def test_what_is_asked_for_is_locked(name: str) -> None:
    locked = pinned(FOLDER / f"{name}.txt")
    wanted = [*PROJECT["dependencies"]]
    for extra in EXTRAS[name]:
        wanted += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement}: run scripts/lock"
        assert requirement.specifier.contains(version), f"{requirement}: run scripts/lock"


def test_locks_agree_with_each_other() -> None:
    largest = pinned(FOLDER / "dev.txt")
    for name in ("runtime", "demo"):
        smaller = pinned(FOLDER / f"{name}.txt")
        assert {package: largest[package] for package in smaller} == smaller
