"""Durations and moments as people write them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import typer

from servicelevel.application.topic_range import Edge

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text: str) -> int:
    """`500ms`, `60s`, `5m`, `1h30m`, `7d`; a bare number is seconds."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return round(float(text) * 1_000)
    parts = re.findall(r"(\d+)(ms|s|m|h|d)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise typer.BadParameter(f"`{text}` is no duration: write `60s`, `5m` or `1h30m`")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in parts)


def moment_ms(text: str) -> int:
    """RFC 3339 text (UTC where it says no offset) or milliseconds since the Unix epoch."""
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"`{text}` is no time: write `2026-01-01T00:00:00Z` or epoch milliseconds"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000)


def edge(texts: Sequence[str], now_ms: int, whole: str, option: str) -> Edge:
    """`earliest` or `latest` (`whole`), a time, how long ago as in `6h`, and `requests/0=1234`.

    One for all partitions, and offsets for some; without any it is the logs' own.
    """
    time_ms: int | None = None
    offsets: dict[str, int] = {}
    for_all: list[str] = []
    for text in texts:
        if named := re.fullmatch(r"([A-Za-z0-9._-]+/\d+)=(\d+)", text):
            offsets[named[1]] = int(named[2])
            continue
        for_all.append(text)
        if text != whole:
            time_ms = _time_or_ago(text, now_ms, whole, option)
    if len(for_all) > 1:
        raise typer.BadParameter(f"{option} says {' and '.join(for_all)}: only one can be")
    return Edge(time_ms, offsets)


def _time_or_ago(text: str, now_ms: int, whole: str, option: str) -> int:
    try:
        if re.fullmatch(r"(\d+(ms|s|m|h|d))+", text):
            return now_ms - duration_ms(text)
        return moment_ms(text)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{option} `{text}`: write a time as `2026-01-01T00:00:00Z`, `6h` for so long ago, "
            f"`{whole}`, or an offset as `requests/0=1234`"
        ) from None
