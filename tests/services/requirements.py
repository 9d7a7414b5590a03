"""What a test needs of the machine: skipped with the reason, or failed where all is required."""

import os
import shutil
from typing import NoReturn

import pytest

VARIABLE = "SERVICELEVEL_TESTS_REQUIRE_ALL"


def all_required() -> bool:
    """Whether a missing program fails a test instead of skipping it."""
    return os.environ.get(VARIABLE) == "1"


def unavailable(reason: str) -> NoReturn:
    """End the test: what it needs is not here."""
    if all_required():
        pytest.fail(f"{reason} ({VARIABLE}=1)", pytrace=False)
    pytest.skip(reason)


def need_program(name: str) -> str:
    """The path of a program of the system."""
    if path := shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin"):
        return path
    unavailable(f"{name} is not installed")
