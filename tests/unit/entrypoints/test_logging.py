"""Log lines: JSON for a collector, text for people, at the level asked for."""

import io
import logging

import orjson
import structlog

from servicelevel.entrypoints.logging import configure_logging
from servicelevel.settings import Settings


def test_lines_are_json_where_nobody_looks() -> None:
    stream = io.StringIO()
    configure_logging(Settings(), stream)

    structlog.get_logger("ours").info("counted", events=3)
    logging.getLogger("theirs").warning("slow %s", "broker")
    logging.getLogger("theirs").debug("not told")

    ours, theirs = map(orjson.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["events"], ours["level"]) == ("counted", 3, "info")
    assert (theirs["event"], theirs["logger"]) == ("slow broker", "theirs")


def test_lines_can_be_text() -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_format="text"), stream)
    structlog.get_logger("ours").warning("waits", problem="Redis")
    assert "waits" in stream.getvalue()
    assert "problem=Redis" in stream.getvalue()


def test_the_level_is_kept() -> None:
    stream = io.StringIO()
    configure_logging(Settings(log_level="ERROR"), stream)
    structlog.get_logger("ours").warning("not told")
    assert stream.getvalue() == ""
