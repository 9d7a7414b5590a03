"""`replay` hands over files and times as they were meant."""

from pathlib import Path

import pytest

from servicelevel.entrypoints.cli.replaying import spread
from tests.builders.cli import Outside, servicelevel


def test_files_and_times_are_handed_over() -> None:
    outside = Outside()
    done = servicelevel(
        outside,
        *("replay", "slos", "--requests", "a", "b", "-", "--incidents", "c", "--early"),
        *("--mapping", "m.yaml", "--status-at", "2026-01-01T00:00:00Z"),
    )

    assert (done.code, done.out) == (0, "{}\n")
    _, definitions, arguments = outside.asked[-1]
    assert definitions == [Path("slos")]
    assert arguments["requests"] == [Path("a"), Path("b"), Path("-")]
    assert arguments["incidents"] == [Path("c")]
    assert arguments["changes"] == []
    assert arguments["mapping"] == Path("m.yaml")
    assert arguments["status_at_ms"] == 1_767_225_600_000
    assert arguments["early"] is True


def test_the_definitions_may_come_last() -> None:
    outside = Outside()
    assert servicelevel(outside, "replay", "--requests", "a", "slos").code == 0
    assert outside.asked[-1][1] == [Path("slos")]


def test_no_events_is_wrong_use() -> None:
    assert servicelevel(Outside(), "replay", "slos").code == 2


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("d --requests a b", "d --requests a --requests b"),
        ("d --requests a --early b", "d --requests a --early b"),
        ("d --requests a --changes b -", "d --requests a --changes b --changes -"),
        ("d --requests=a", "d --requests=a"),
        ("--requests a b", "--requests a b"),
        ("", ""),
    ],
)
def test_each_further_file_repeats_the_option(given: str, meant: str) -> None:
    assert spread(given.split()) == meant.split()
