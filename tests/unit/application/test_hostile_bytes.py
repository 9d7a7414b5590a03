"""Seeded mutations of events, by structure and by byte: nothing raises, nothing disappears."""

import json
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from msgspec.structs import asdict

from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import DecodeLimits, decode_batch
from servicelevel.application.refusal import Reason
from servicelevel.domain.counts import CountsMessage, Range
from servicelevel.domain.model import Catalogue, EventKind, Indicator, Objective, Slo
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.counts import decode_counts, encode_counts

MESSAGES = 7_000  # of each kind
NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LIMITS = DecodeLimits(max_event_bytes=3_000)
LATENESS, HORIZON = 60_000, 86_400_000


class Record(NamedTuple):
    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    timestamp: int = NOW


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, -0.5, 1e308, 1e-320, 2**31, 2**63, 2**64, 10**40),
    *("", "shop", "200", "503", "*", "__other__", "\u0000", "\ud83d\ude00", "a=b,c%", "x" * 4_000),
    *("2026-01-01T00:00:00Z", "2025-12-31T23:59:60Z", "0000-00-00T00:00:00Z", "NaN"),
    *([], {}, [1, [2]], {"region": "eu"}, {"region": None}, {"": ""}, {"region": {"a": 1}}),
    *(NOW, NOW - 30_000, NOW - 3_600_000, NOW - 86_400_000_0, NOW + 10**9, NOW // 1_000),
)
BYTES = (
    *(b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\n", b"\r", b"{", b"}", b"[", b"]", b'"'),
    *(b"\\", b"\\u", b"\\ud800", b",", b":", b"NaN", b"Infinity", b"-", b"1e999", b"0" * 400),
    *(b"}\n{", b'"specversion"', b'"data":', b"null", b"\xef\xbb\xbf", b"[" * 300, b'{"a":' * 300),
)
HEADERS = (
    (),
    (("content-type", b"application/cloudevents+json"),),
    (("content-type", b"\xff"),),
    (("ce_specversion", b"1.0"), ("ce_time", b"2026-01-01T00:00:00Z"), ("ce_id", b"\xff")),
    (("ce_specversion", b"1.0"), ("ce_time", b"soon")),
    (("traceparent", b"\x00\xff"), ("", b"")),
)


OF_KIND: dict[EventKind, dict[str, Any]] = {
    "request": {},
    "incident": {"incident_id": "i1", "state": "opened", "title": "t"},
    "change": {"kind": "deployment", "ends_at": NOW},
}
BEHIND_MS = (0, 0, 0, 0, 0, 0, 600_000, 3 * 86_400_000)


def whole_event(rng: random.Random, kind: EventKind) -> dict[str, Any]:
    return {
        "id": str(rng.randrange(10**6)),
        "time": NOW - rng.randrange(30_000) - rng.choice(BEHIND_MS),
        "service": rng.choice(("shop", "search", "unknown")),
        "operation": "GET /",
        "status_code": rng.choice((200, 404, 503)),
        "duration_ms": rng.randrange(1_000),
        "attributes": {"region": rng.choice(("eu", "us"))},
        **OF_KIND[kind],
    }


def by_structure(rng: random.Random, event: dict[str, Any]) -> bytes:
    """Values replaced, fields left out, doubled, wrapped in an envelope or an array."""
    for _ in range(rng.randrange(3)):
        field = rng.choice(list(event))
        if rng.random() < 0.2:
            del event[field]
        elif field == "attributes" and isinstance(event[field], dict) and rng.random() < 0.5:
            event[field][rng.choice(("region", "new"))] = rng.choice(VALUES)
        else:
            event[field] = rng.choice(VALUES)
    text = json.dumps(event)
    match rng.randrange(12):
        case 0:
            text = json.dumps({"specversion": "1.0", "id": "x", "data": event})
        case 1:
            text = json.dumps({"specversion": rng.choice(VALUES), "data": rng.choice(VALUES)})
        case 2:
            text = json.dumps([event])
        case 3:  # a field twice
            text = text[:-1] + f', "status_code": {json.dumps(rng.choice(VALUES))}}}'
        case 4:
            text = rng.choice((" \n", "\t", "")) + text + rng.choice(("\n", " ", "\u00a0", text))
    return text.encode()


def by_bytes(rng: random.Random, value: bytes) -> bytes:
    """Bytes put in, taken out, changed, cut off."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(value) + 1)
        match rng.randrange(5):
            case 0:
                value = value[:at] + rng.choice(BYTES) + value[at:]
            case 1:
                value = value[:at] + value[at + rng.randrange(20) :]
            case 2:
                value = value[:at]
            case 3:
                value = value[:at] + rng.randbytes(rng.randrange(8)) + value[at:]
            case _:
                value = value[:at] + value[at // 2 :]
    return value


def hostile_records(seed: int, count: int, kind: EventKind) -> Iterator[Record]:
    rng = random.Random(seed)
    mutations: tuple[Callable[[bytes], bytes], ...] = (
        lambda value: value,
        lambda value: by_bytes(rng, value),
    )
    offset = 0
    for _ in range(count):
        offset += 1 + (rng.random() < 0.01)  # a gap, as compaction and transactions leave them
        if rng.random() < 0.3:
            yield Record(offset, json.dumps(whole_event(rng, kind)).encode())
            continue
        value = rng.choice(mutations)(by_structure(rng, whole_event(rng, kind)))
        headers = rng.choice(HEADERS) if rng.random() < 0.3 else ()
        yield Record(offset, None if rng.random() < 0.01 else value, headers)


def catalogue(kind: EventKind) -> Catalogue:
    slos = []
    for service in ("shop", "search", "*"):
        indicator = Indicator(
            f"{kind}-{service}",
            kind,
            service,
            total="has(service)",
            good="status_code < 500 && duration_ms <= 300.0" if kind == "request" else "",
            group_by=("region",),
        )
        objective = Objective("objective-1", indicator, Fraction(9, 10), ())
        slos.append(
            Slo(f"slo-{service.replace('*', 'any')}", service, 86_400_000, (objective,), "d")
        )
    return Catalogue.of(slos)


@pytest.mark.parametrize("kind", ["request", "incident", "change"])
def test_mutated_records_are_all_accounted_for(kind: EventKind) -> None:
    records = list(hostile_records(seed=11, count=MESSAGES, kind=kind))
    rng = random.Random(12)
    counter = SourceAccumulator(
        "requests/3",
        kind,
        Plan(catalogue(kind), 4),
        allowed_lateness_ms=LATENESS,
        late_horizon_ms=HORIZON,
        max_time_ms=None,
    )
    dead_offsets: list[int] = []
    read_offsets: list[int] = []
    reasons: set[str] = set()
    late = 0
    read = 0
    while read < len(records):
        chunk = records[read : read + rng.randrange(1, 1_200)]
        read += len(chunk)
        batch, dead = decode_batch(
            chunk, topic="requests", partition=3, kind=kind, now_ms=NOW, limits=LIMITS
        )
        values = {record.offset: record.value for record in chunk}
        assert all(letter.value == values[letter.offset] for letter in dead)
        assert all(
            value == values[offset]
            for offset, value in zip(batch.offsets, batch.values, strict=True)
        )
        assert all(isinstance(event.time, int) for event in batch.events)
        found = counter.add(batch, len(dead))
        for letter in dead:
            assert json.loads(dead_letter_event(letter))["data"]["offset"] == letter.offset
        for aside in found:
            assert json.loads(late_event(aside))["data"]["offset"] == aside.offset
        dead_offsets += [letter.offset for letter in dead]
        read_offsets += batch.offsets
        reasons |= {letter.reason for letter in dead}
        late += len(found)

    assert sorted(dead_offsets + read_offsets) == [record.offset for record in records]
    folded = counter.take()
    assert folded.tally.read == len(records) == MESSAGES
    assert folded.tally.dead == len(dead_offsets)
    assert folded.tally.late == late
    assert folded.tally.counted + folded.tally.late + folded.tally.dead == folded.tally.read
    cells = [cell for some in folded.cells.values() for cell in some]
    assert all(0 <= cell.good <= cell.total for cell in cells)
    range_ = Range("requests/3", 1, 0, 9, folded.max_time_ms, False, folded.tally, tuple(cells))
    message = CountsMessage(NOW, (), (range_,))
    assert decode_counts(encode_counts(message)) == message
    # It was a test of something: events of all fates, and of nearly every reason.
    assert min(folded.tally[:-1]) > 20
    assert cells
    of_others = {"gap", "mapping", "too_many_counts"}  # of no record, no mapping, no sum
    assert {reason.value for reason in Reason} - reasons <= of_others


def test_a_record_has_the_same_fate_in_whatever_batch_it_comes() -> None:
    records = list(hostile_records(seed=21, count=3_000, kind="request"))

    def fates(size: int) -> dict[int, str]:
        found: dict[int, str] = {}
        for start in range(0, len(records), size):
            batch, dead = decode_batch(
                records[start : start + size],
                topic="requests",
                partition=3,
                kind="request",
                now_ms=NOW,
                limits=LIMITS,
            )
            found |= {letter.offset: f"{letter.reason}: {letter.detail}" for letter in dead}
            found |= {o: repr(asdict(e)) for o, e in zip(batch.offsets, batch.events, strict=True)}
        return found

    alone = fates(1)
    assert fates(7) == alone
    assert fates(len(records)) == alone
