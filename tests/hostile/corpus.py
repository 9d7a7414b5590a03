"""Valid records of each shape, from which hostile ones are made.

Those of the service STEADY are sent as they are: what they count for is known.
"""

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

REQUESTS, NGINX, OTLP = TOPICS = "requests", "requests-nginx", "requests-otlp"
MAPPINGS = {NGINX: "nginx", OTLP: "otlp-spans"}
STEADY = "steady"
SERVICES = ("shop", "search", "mail")
DAY_MS = 86_400_000
BEHIND_MS = (0,) * 40 + (3_600_000, 3 * DAY_MS, 40 * DAY_MS)

Headers = tuple[tuple[str, bytes | None], ...]
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json"),)


class Message(NamedTuple):
    """What a producer hands over."""

    topic: str
    value: bytes | None
    headers: Headers = ()


def steady(topic: str, at: int, status: int) -> Message:
    """One good or bad event that must be counted, whatever is around it."""
    made = {"service": STEADY, "time": at, "status_code": status, "id": f"{at}"}
    return SHAPES[topic][0](made, Random(at))


def valid(topic: str, at: int, rng: Random) -> Message:
    """Some event at or before `at`, in one of the shapes of the topic."""
    made = {
        "id": f"{rng.randrange(10**6)}",
        "time": at - rng.choice(BEHIND_MS),
        "service": rng.choice(SERVICES),
        "operation": rng.choice(("GET /", "POST /pay", "é/\U0001f600")),
        "status_code": rng.choice((200, 404, 503)),
        "duration_ms": rng.randrange(1_000),
        "attributes": {"region": rng.choice(("eu", "us")), "n": rng.randrange(10)},
    }
    return rng.choice(SHAPES[topic])(made, rng)


def _dump(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _plain(made: dict[str, Any], _: Random) -> Message:
    return Message(REQUESTS, _dump(made))


def _structured(made: dict[str, Any], rng: Random) -> Message:
    letter = {"specversion": "1.0", "id": "e", "source": "/s", "type": "t", "data": made}
    return Message(REQUESTS, _dump(letter), STRUCTURED if rng.random() < 0.5 else ())


def _coded(made: dict[str, Any], _: Random) -> Message:
    coded = base64.b64encode(_dump(made)).decode()
    letter = {"specversion": "1.0", "id": "e", "source": "/s", "type": "t", "data_base64": coded}
    return Message(REQUESTS, _dump(letter), STRUCTURED)


def _binary(made: dict[str, Any], _: Random) -> Message:
    headers = (("ce_specversion", b"1.0"), ("ce_id", b"e"), ("ce_time", b"2026-01-01T00:00:00Z"))
    return Message(REQUESTS, _dump(made), headers)


def _nginx(made: dict[str, Any], _: Random) -> Message:
    line = {
        "time": f"{made['time'] // 1000}.{made['time'] % 1000:03}",
        "request_id": made["id"],
        "server_name": made["service"],
        "request_method": "GET",
        "uri": made.get("operation", "/"),
        "status": f"{made['status_code']}",
        "request_time": "0.010",
        "upstream_addr": "127.0.0.1:80",
    }
    return Message(NGINX, _dump(line))


def _otlp(made: dict[str, Any], rng: Random) -> Message:
    """An export with one span of the event, or for mutations with some of it."""
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": made["id"],
        "name": made.get("operation", "/"),
        "kind": 2,
        "startTimeUnixNano": f"{made['time'] - 10}000000",
        "endTimeUnixNano": f"{made['time']}000000",
        "attributes": [
            {"key": "url.path", "value": {"stringValue": "/"}},
            {
                "key": "http.response.status_code",
                "value": {"intValue": f"{made['status_code']}"},
            },
        ],
        "status": {},
    }
    spans = [span]
    if made["service"] != STEADY:
        spans += [{**span, "kind": rng.choice((2, 3, 5))} for _ in range(rng.randrange(3))]
    name = {"key": "service.name", "value": {"stringValue": made["service"]}}
    scope = {"scope": {"name": "s"}, "spans": spans}
    export = {"resource": {"attributes": [name]}, "scopeSpans": [scope]}
    return Message(OTLP, _dump({"resourceSpans": [export]}))


SHAPES: dict[str, tuple[Callable[[dict[str, Any], Random], Message], ...]] = {
    REQUESTS: (_plain, _plain, _structured, _coded, _binary),
    NGINX: (_nginx,),
    OTLP: (_otlp,),
}
