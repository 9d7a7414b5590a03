"""The bar is shown on a terminal, and only of work that takes a moment."""

import io

import pytest

from servicelevel.entrypoints.cli.progress import progress


class Terminal(io.StringIO):
    """What is written to it is kept."""

    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, seconds: float, size: int | None = 100) -> str:
    """What work of that length writes."""
    now = 0.0
    with progress(stream, "replaying", lambda: now) as meter:
        meter.expect(size)
        meter.advance(10)
        now = seconds
        meter.advance(30)
    return stream.getvalue()


def test_long_work_has_a_bar_that_goes_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # rich asks what the terminal can do
    written = shown(Terminal(), 1.0)
    assert "replaying" in written
    assert "40%" in written
    assert written.endswith("\x1b[1A\x1b[2K")  # the line is erased
    assert "replaying" in shown(Terminal(), 1.0, None)


def test_short_work_has_none() -> None:
    assert shown(Terminal(), 0.9) == ""


def test_what_is_piped_has_none() -> None:
    assert shown(io.StringIO(), 60.0) == ""


def test_the_bar_goes_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, now = Terminal(), 0.0

    def work() -> None:
        nonlocal now
        with progress(stream, "replaying", lambda: now) as meter:
            now = 2.0
            meter.advance(1)
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # the one above
        work()
    assert stream.getvalue().endswith("\x1b[2K")
