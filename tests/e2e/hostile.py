"""Records that no well-meaning producer sends, each with what must become of it."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

DAY_MS = 86_400_000
MAX_EVENT_BYTES = 20_000
NOW_AND_THEN_MS = 1_000  # event time between two good events

DEFINITIONS = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: shop-availability}
spec:
  service: shop
  indicator:
    metadata: {name: shop-availability}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: servicelevel, spec: {where: "status_code < 500"}}}
        total: {metricSource: {type: servicelevel, spec: {event: request}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.999}]
"""

Headers = Sequence[tuple[str, bytes]]
STRUCTURED: Headers = (("content-type", b"application/cloudevents+json; charset=utf-8"),)


class Fate(NamedTuple):
    """`good` and `total` are what the record adds to the SLO; `aside` is a dead letter's reason,
    `revision` or `dropped` for a late event, or None."""

    aside: str | None
    good: int = 0
    total: int = 0


GOOD, BAD, UNSEEN = Fate(None, 1, 1), Fate(None, 0, 1), Fate(None)
"""Counted as good, as bad, and read but of no indicator."""


@dataclass(frozen=True)
class Record:
    """One record to be sent, and what must become of it."""

    partition: int
    value: bytes | None
    headers: Headers
    fate: Fate


def event(time: Any, **fields: Any) -> bytes:
    return json.dumps({"service": "shop", "time": time, "status_code": 200, **fields}).encode()


def hostile(at: int, now: int) -> Iterator[tuple[bytes | None, Headers, Fate]]:
    """(value, headers, fate); `at` is a time on time now, `now` the wall clock."""
    good = event(at)

    def dead(reason: str, *values: bytes | None) -> Iterator[tuple[bytes | None, Headers, Fate]]:
        for value in values:
            yield value, (), Fate(reason)

    def field(**fields: Any) -> bytes:
        return event(at, **fields)

    yield from dead("null_value", None)
    yield from dead("empty_value", b"")
    yield from dead(
        "broken_json",
        b'{"service": "shop", "time": ',
        b"\x00" * 40,
        b"not json",
        good + good,
        good + b"\n" + good,
        b"\xef\xbb\xbf" + good,
        good.replace(b'"shop"', b'"sh\nop"'),
        b'{"service":"\\udc00","time":1}',
    )
    yield from dead("not_an_object", b"[]", b"null", b'"shop"', b"17", b"[" + good + b"]")
    yield from dead(
        "invalid_utf8",
        good.replace(b"shop", b"sh\xffp"),
        good.replace(b"{", b'{"x": "\xed\xa0\x80", ', 1),
    )
    yield from dead("too_large", field(operation="x" * MAX_EVENT_BYTES), b" " * 100_000)
    yield from dead(
        "too_deep",
        good.replace(b"{", b'{"x": ' + b"[" * 2_000 + b"]" * 2_000 + b", ", 1),
        b"[" * 9_000,
    )
    yield from dead(
        "not_finite",
        field(duration_ms=float("nan")),
        field(duration_ms=float("inf")),
        field(duration_ms=float("-inf")),
        good.replace(b"}", b', "duration_ms": 1e999}'),
    )
    yield from dead(
        "missing_field",
        b'{"time": 1}',
        b"{}",
        b'{"service": "shop"}',
        event(None),
    )
    yield from dead(
        "wrong_type",
        field(service=7),
        field(service=None),
        field(service=["shop"]),
        field(status_code="200"),
        field(status_code=200.5),
        field(duration_ms="12"),
        field(attributes=[]),
        field(attributes={"region": {"deep": 1}}),
        event([at]),
        event(True),
    )
    yield from dead(
        "out_of_range", field(service=""), field(service="s" * 257), field(status_code=2**31)
    )
    yield from dead("negative_duration", field(duration_ms=-1))
    yield from dead("bad_time", event("yesterday"), event("2026-01-01T00:00:00"), event(""))
    yield from dead(
        "implausible_time", event(at // 1_000), event(0), event(-1), event("1970-01-01T00:00:00Z")
    )
    yield from dead(
        "future_time",
        event(now + DAY_MS),
        event(now * 1_000),
        event(10**300),
        event("9999-12-31T23:59:59Z"),
    )
    yield from _envelopes(at, good)
    yield from _odd_but_good(at)


def _envelopes(at: int, good: bytes) -> Iterator[tuple[bytes | None, Headers, Fate]]:
    binary: Headers = (("ce_specversion", b"1.0"), ("ce_id", b"e-1"), ("ce_time", b""))
    in_time = (*binary[:2], ("ce_time", b"2001-01-01T00:00:00Z"))
    letter = {"specversion": "1.0", "id": "e-2", "source": "/x", "type": "t"}
    whole = {**letter, "data": json.loads(good)}
    coded = {**letter, "data_base64": base64.b64encode(good).decode()}
    yield good, in_time, GOOD  # the event's own time wins
    yield b'{"service": "shop"}', binary, Fate("bad_time")
    yield good, (*binary[:1], ("ce_id", b"\xff")), Fate("envelope")
    yield b"", in_time, Fate("empty_value")
    yield json.dumps(whole).encode(), STRUCTURED, GOOD
    yield json.dumps(whole).encode(), (), GOOD
    yield json.dumps(coded).encode(), STRUCTURED, GOOD
    yield json.dumps(letter).encode(), STRUCTURED, Fate("envelope")
    yield good, STRUCTURED, Fate("envelope")
    yield json.dumps({**letter, "data_base64": "%%%"}).encode(), STRUCTURED, Fate("envelope")
    yield json.dumps({**letter, "data": "text"}).encode(), STRUCTURED, Fate("not_an_object")
    yield (
        json.dumps({**whole, "id": 7, "data": {"service": "shop", "time": at}}).encode(),
        (),
        Fate("envelope"),
    )


def _odd_but_good(at: int) -> Iterator[tuple[bytes | None, Headers, Fate]]:
    yield event(at, service="nobody-knows-it"), (), UNSEEN
    yield event(at, service="*"), (), UNSEEN
    yield event(at, status_code=None), (), UNSEEN  # cannot be decided
    yield event(at, status_code=-1), (), GOOD
    yield event(at, unknown={"a": [1, {"b": None}]}), (), GOOD
    yield event(at, duration_ms=1e308, attributes={"n": 10**18, "x": 1e-320}), (), GOOD
    yield b'{"status_code": 200, ' + event(at, status_code=503)[1:], (), BAD  # the last one counts
    yield b" \n\t" + event(at) + b" \r\n", (), GOOD
    yield event(float(at)), (), GOOD
    yield event(at, id="i" * 10_000, operation="\u0000\u2028😀"), (), GOOD


def records(now: int, partitions: int, rounds: int) -> Iterator[Record]:
    """For each partition in turn: good events with a hostile record between any two.

    Event time goes on by a second with each good event, and ends some minutes before `now`.
    Every tenth gap also has a late event, some of them too late to be counted.
    """
    menu = list(hostile(now - DAY_MS, now))
    start = now - len(menu) * rounds * NOW_AND_THEN_MS - 600_000
    for step in range(len(menu) * rounds):
        at = start + step * NOW_AND_THEN_MS
        for partition in range(partitions):
            yield Record(partition, event(at, id=f"{partition}-{step}"), (), GOOD)
            value, headers, fate = list(hostile(at, now))[(step + 7 * partition) % len(menu)]
            yield Record(partition, value, headers, fate)
            if step % 10 == 9:
                yield Record(partition, event(at - 60_000, status_code=500), (), LATE)
            if step % 20 == 19:
                yield Record(partition, event(at - 40 * DAY_MS), (), DROPPED)


LATE, DROPPED = Fate("revision", 0, 1), Fate("dropped")
