"""One event in three shapes: as our own JSON, as a line of nginx, as an OpenTelemetry span.

An event is a dict with `id`, `time` (epoch ms), `service`, `status_code` and `duration_ms` (10
where it has none).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

_DURATION_MS = 10


def as_native(made: dict[str, Any]) -> bytes:
    """A request event."""
    return orjson.dumps(made)


def as_nginx(made: dict[str, Any]) -> bytes:
    """A line of the access log."""
    duration_ms = made.get("duration_ms", _DURATION_MS)
    line = {
        "time": f"{made['time'] // 1000}.{made['time'] % 1000:03}",
        "request_id": made["id"],
        "server_name": made["service"],
        "request_method": "GET",
        "uri": "/",
        "status": str(made["status_code"]),
        "request_time": f"{duration_ms // 1000}.{duration_ms % 1000:03}",
    }
    return json.dumps(line).encode()


def as_span(made: dict[str, Any], kind: int = 2) -> dict[str, Any]:
    """A span; of `kind` 2 it is a request, of 3 a call to another service."""
    duration_ms = made.get("duration_ms", _DURATION_MS)
    return {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": made["id"],
        "name": "GET /",
        "kind": kind,
        "startTimeUnixNano": str((made["time"] - duration_ms) * 1_000_000),
        "endTimeUnixNano": str(made["time"] * 1_000_000 + 999_999),
        "attributes": [
            {"key": "url.path", "value": {"stringValue": "/"}},
            {
                "key": "http.response.status_code",
                "value": {"intValue": str(made["status_code"])},
            },
        ],
        "status": {},
    }


def as_otlp(events: Sequence[dict[str, Any]], *more: dict[str, Any]) -> bytes:
    """One export: a ResourceSpans for each event, calls to others among them, and `more` spans."""
    resources = [
        {
            "resource": {
                "attributes": [{"key": "service.name", "value": {"stringValue": made["service"]}}]
            },
            "scopeSpans": [
                {"scope": {}, "spans": [as_span(made, kind=3)]},
                {"scope": {}, "spans": [as_span(made), *more]},
            ],
        }
        for made in events
    ]
    return orjson.dumps({"resourceSpans": resources})


def in_groups(events: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """1, 2, …, 7, 1, 2, … at a time."""
    size, first = 1, 0
    while first < len(events):
        yield events[first : first + size]
        first, size = first + size, size % 7 + 1
