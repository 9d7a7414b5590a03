"""Common options may stand before or after the command."""

import pytest

from servicelevel.entrypoints.cli.app import hoisted


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([], []),
        (["run"], ["run"]),
        (
            ["run", "--brokers", "a:1", "--workers", "2"],
            ["--brokers", "a:1", "run", "--workers", "2"],
        ),
        (["topics", "create", "--prefix=p."], ["--prefix=p.", "topics", "create"]),
        (["--prefix", "p.", "status"], ["--prefix", "p.", "status"]),
        (
            ["run", "--definitions", "a", "--definitions", "b"],
            ["--definitions", "a", "--definitions", "b", "run"],
        ),
        (["replay", "d", "--", "--prefix"], ["replay", "d", "--", "--prefix"]),
        (["run", "--brokers"], ["--brokers", "run"]),
    ],
)
def test_common_options_come_first(given: list[str], taken: list[str]) -> None:
    assert hoisted(given) == taken
