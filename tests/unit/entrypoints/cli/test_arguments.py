"""Durations and times as people write them."""

import pytest
import typer

from servicelevel.entrypoints.cli.arguments import duration_ms, moment_ms


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("60s", 60_000), ("5m", 300_000), ("1h30m", 5_400_000), ("500ms", 500), ("7d", 604_800_000),
     ("2", 2_000), ("0.5", 500)],
)  # fmt: skip
def test_durations(text: str, milliseconds: int) -> None:
    assert duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "x", "5x", "m5", "5m x", "-5s", "1.5h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no duration"):
        duration_ms(text)


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T00:00:00Z", "2026-01-01", "2026-01-01T01:00:00+01:00", "1767225600000"],
)
def test_moments(text: str) -> None:
    assert moment_ms(text) == 1_767_225_600_000


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="no time"):
        moment_ms("yesterday")
