"""The worker's environment says all that the worker needs, and nothing of the caller's own."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from servicelevel.entrypoints.demo.worker import keep_working, worker_environment
from servicelevel.errors import DependencyError
from servicelevel.settings_file import load_settings


def environment(**caller: str) -> dict[str, str]:
    return worker_environment(
        {"PATH": "/bin", **caller},
        brokers="127.0.0.1:1",
        redis_url="redis://127.0.0.1:2/0",
        definitions=Path("/shop.yaml"),
        name="demo-1",
        session_timeout_ms=4_000,
    )


def test_settings_are_the_demos() -> None:
    settings = load_settings(environment())
    assert settings.brokers == "127.0.0.1:1"
    assert settings.definitions == (Path("/shop.yaml"),)
    assert settings.topic("requests") == "demo-1.requests"
    assert settings.allowed_lateness_ms == 2_000


def test_callers_settings_are_left_out_but_for_how_to_speak_to_the_broker() -> None:
    made = environment(
        SERVICELEVEL_REQUEST_TOPICS="mine",
        SERVICELEVEL_SETTINGS="/mine.yaml",
        SERVICELEVEL_SASL_USERNAME="me",
        SERVICELEVEL_SECURITY_PROTOCOL="SASL_PLAINTEXT",
    )
    assert "SERVICELEVEL_REQUEST_TOPICS" not in made
    assert "SERVICELEVEL_SETTINGS" not in made
    assert made["SERVICELEVEL_SASL_USERNAME"] == "me"
    assert made["SERVICELEVEL_SECURITY_PROTOCOL"] == "SASL_PLAINTEXT"
    assert made["PATH"] == "/bin"


async def test_worker_that_ends_is_told_with_what_it_printed() -> None:
    command = [sys.executable, "-c", "print('no definitions'); raise SystemExit(2)"]
    with pytest.raises(DependencyError, match=r"exit code 2; it printed: no definitions"):
        await asyncio.wait_for(keep_working(os.environ, command), 20)


async def test_worker_that_asks_for_a_new_start_gets_it(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; mark = pathlib.Path(sys.argv[1]); again = mark.exists(); "
        "mark.touch(); print('started again' if again else ''); sys.exit(1 if again else 75)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "mark")]
    with pytest.raises(DependencyError, match=r"exit code 1; it printed: started again"):
        await asyncio.wait_for(keep_working(os.environ, command), 20)
