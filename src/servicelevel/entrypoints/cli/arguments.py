"""Durations and moments as people write them."""

import re
from datetime import UTC, datetime

import typer

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
