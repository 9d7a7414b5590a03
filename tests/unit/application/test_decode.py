"""Every record becomes an event or a dead letter, in whatever batches it comes."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.event_decoder import EventDecoder
from servicelevel.application.lines import Lines
from servicelevel.application.refusal import MAX_DEPTH, Reason
from servicelevel.domain.model import EventKind
from servicelevel.domain.outputs import DeadLetter
from servicelevel.schemas.events import ChangeEvent, Event, IncidentEvent

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LIMITS = DecodeLimits(max_event_bytes=4_000, max_future_ms=1_000)


class Record(NamedTuple):
    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    key: bytes | None = b"k"
    timestamp: int = NOW


def decode(
    records: Sequence[Record], kind: EventKind = "request"
) -> tuple[Batch, list[DeadLetter]]:
    return decode_batch(
        records, topic="requests", partition=3, kind=kind, now_ms=NOW, limits=LIMITS
    )


def of(*values: bytes | None) -> list[Record]:
    return [Record(offset, value) for offset, value in enumerate(values, start=100)]


def event(**fields: object) -> bytes:
    return json.dumps({"service": "a", "time": NOW, **fields}).encode()


GOOD = event()


def one(value: bytes, *headers: tuple[str, bytes], kind: EventKind = "request") -> Event:
    batch, dead = decode([Record(1, value, headers)], kind)
    assert not dead, dead
    return batch.events[0]


def refused(
    value: bytes | None, *headers: tuple[str, bytes], kind: EventKind = "request"
) -> DeadLetter:
    batch, dead = decode([Record(1, value, headers)], kind)
    assert not batch.events
    return dead[0]


def test_reads_every_field_of_a_request() -> None:
    value = event(
        id="e1",
        time="2026-01-01T00:00:00.123Z",
        operation="POST /pay",
        status_code=200,
        duration_ms=12.5,
        attributes={"region": "eu", "n": 1, "share": 0.5, "vip": True, "none": None},
        unknown=[{"deep": 1}],
    )
    assert one(value) == Event(
        service="a",
        time=NOW + 123,
        id="e1",
        operation="POST /pay",
        status_code=200,
        duration_ms=12.5,
        attributes={"region": "eu", "n": 1, "share": 0.5, "vip": True, "none": None},
    )


def test_reads_incidents_and_changes() -> None:
    incident = one(event(incident_id="i1", state="opened", title="t"), kind="incident")
    assert incident == IncidentEvent(
        service="a", time=NOW, incident_id="i1", state="opened", title="t"
    )
    change = one(event(kind="deployment", ends_at="2026-01-01T01:00:00+01:00"), kind="change")
    assert change == ChangeEvent(service="a", time=NOW, kind="deployment", ends_at=NOW)


def test_fields_of_other_kinds_are_ignored() -> None:
    assert one(event(severity=3, state="??", ends_at="soon")) == Event(service="a", time=NOW)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.NULL_VALUE),
        (b"", Reason.EMPTY_VALUE),
        (b" ", Reason.BROKEN_JSON),
        (b"{", Reason.BROKEN_JSON),
        (GOOD + GOOD, Reason.BROKEN_JSON),
        (GOOD + b"\n" + GOOD, Reason.BROKEN_JSON),
        (b"\xef\xbb\xbf" + GOOD, Reason.BROKEN_JSON),
        (b'{"service":"\\udc00","time":1}', Reason.BROKEN_JSON),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b"null", Reason.NOT_AN_OBJECT),
        (b'"text"', Reason.NOT_AN_OBJECT),
        (b'{"service":"\xff","time":1}', Reason.INVALID_UTF8),
        (b'{"service":"a","time":1,"unknown":"\xff"}', Reason.INVALID_UTF8),
        (event(unknown="x" * 5_000), Reason.TOO_LARGE),
        (event(unknown=0).replace(b"0}", b"[" * 300 + b"]" * 300 + b"}"), Reason.TOO_DEEP),
        (event(unknown=0).replace(b"0}", b'{"a":' * 300 + b"0" + b"}" * 301), Reason.TOO_DEEP),
        (event(duration_ms=float("nan")), Reason.NOT_FINITE),
        (event(duration_ms=float("inf")), Reason.NOT_FINITE),
        (event(duration_ms=float("-inf")), Reason.NOT_FINITE),
        (GOOD.replace(b"}", b',"duration_ms":1e999}'), Reason.NOT_FINITE),
        (b'{"time":1}', Reason.MISSING_FIELD),
        (b'{"service":"a"}', Reason.MISSING_FIELD),
        (event(time=None), Reason.MISSING_FIELD),
        (event(time=True), Reason.WRONG_TYPE),
        (event(service=7), Reason.WRONG_TYPE),
        (event(status_code="200"), Reason.WRONG_TYPE),
        (event(attributes=[]), Reason.WRONG_TYPE),
        (event(attributes={"a": [1]}), Reason.WRONG_TYPE),
        (event(service=""), Reason.OUT_OF_RANGE),
        (event(service="s" * 257), Reason.OUT_OF_RANGE),
        (event(status_code=2**31), Reason.OUT_OF_RANGE),
        (event(duration_ms=-0.1), Reason.NEGATIVE_DURATION),
        (event(time="yesterday"), Reason.BAD_TIME),
        (event(time="2026-01-01T00:00:00"), Reason.BAD_TIME),
        (event(time="2026-02-30T00:00:00Z"), Reason.BAD_TIME),
        (event(time=""), Reason.BAD_TIME),
        (event(time=NOW // 1_000), Reason.IMPLAUSIBLE_TIME),
        (event(time="1999-12-31T23:59:59Z"), Reason.IMPLAUSIBLE_TIME),
        (event(time=-1), Reason.IMPLAUSIBLE_TIME),
        (event(time=NOW + 1_001), Reason.FUTURE_TIME),
        (event(time=NOW * 1_000), Reason.FUTURE_TIME),
        (event(time=10**400), Reason.FUTURE_TIME),
        (event(time="2026-01-01T00:00:01.001Z"), Reason.FUTURE_TIME),
    ],
)
def test_names_the_reason(value: bytes | None, reason: Reason) -> None:
    letter = refused(value)
    assert letter.reason == reason
    assert letter.detail
    assert letter == DeadLetter(
        "requests", 3, 1, reason, letter.detail, value=value, key=b"k", timestamp_ms=NOW
    )


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("incident", event(state="opened"), Reason.MISSING_FIELD),
        ("incident", event(incident_id="i", state="on fire"), Reason.OUT_OF_RANGE),
        ("change", event(title="t"), Reason.MISSING_FIELD),
        ("change", event(kind="deployment", ends_at="soon"), Reason.BAD_TIME),
    ],
)
def test_names_the_reason_for_other_kinds(kind: EventKind, value: bytes, reason: Reason) -> None:
    assert refused(value, kind=kind).reason == reason


def test_hints_at_the_unit_of_a_wrong_time() -> None:
    assert "in seconds?" in refused(event(time=NOW // 1_000)).detail
    assert "micro- or nanoseconds?" in refused(event(time=NOW * 1_000)).detail
    assert "nanoseconds" not in refused(event(time=NOW + 1_001)).detail


def test_details_are_bounded() -> None:
    letter = refused(event(incident_id="i", state="x" * 3_000), kind="incident")
    assert letter.reason == Reason.OUT_OF_RANGE
    assert len(letter.detail) <= 500


def test_takes_what_is_just_allowed() -> None:
    assert one(event(time=NOW + 1_000)).time == NOW + 1_000
    assert one(event(time=946_684_800_000)).time == 946_684_800_000
    assert one(event(time=NOW + 0.9)).time == NOW
    assert one(b" " + GOOD + b"\n").time == NOW
    assert one(event(a=1, b="é")).time == NOW
    value = event(unknown=0).replace(b"0}", b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}")
    assert one(value).time == NOW
    assert one(event(unknown="[{" * 500)).time == NOW


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (
            b'{"specversion":"1.0","id":"e","time":"2026-01-01T00:00:00Z","data":{"service":"a"}}',
            (),
        ),
        (
            b'{"specversion":"1.0","id":"e","time":"2026-01-01T00:00:00Z","service":"wrong",'
            b'"data_base64":"eyJzZXJ2aWNlIjoiYSJ9"}',
            (("content-type", b"application/cloudevents+json; charset=UTF-8"),),
        ),
        (
            b'{"service":"a"}',
            (("ce_specversion", b"1.0"), ("ce_id", b"e"), ("ce_time", b"2026-01-01T00:00:00Z")),
        ),
        (
            event(id="e"),
            (("ce_specversion", b"1.0"), ("ce_id", b"x"), ("ce_time", b"2020-01-01T00:00:00Z")),
        ),
    ],
)
def test_opens_cloudevents(value: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
    assert one(value, *headers) == Event(service="a", time=NOW, id="e")


def test_an_event_may_speak_of_specversion() -> None:
    value = event(attributes={"specversion": "1.0"}, data={"service": "wrong"})
    assert one(value).service == "a"


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (GOOD, (("content-type", b"application/cloudevents+json"),)),
        (b'{"specversion":"1.0","data_base64":"?"}', ()),
        (b'{"specversion":"1.0","id":7,"data":{"service":"a"}}', ()),
        (GOOD, (("ce_specversion", b"1.0"), ("ce_id", b"\xff"))),
    ],
)
def test_refuses_broken_envelopes(value: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
    assert refused(value, *headers).reason == Reason.ENVELOPE


def test_other_headers_do_no_harm() -> None:
    assert one(GOOD, ("traceparent", b"00-01")).service == "a"


def test_one_bad_record_costs_its_neighbours_nothing() -> None:
    batch, dead = decode(of(GOOD, b"{", GOOD, None, GOOD))
    assert batch.offsets == [100, 102, 104]
    assert batch.values == [GOOD] * 3
    assert [letter.offset for letter in dead] == [101, 103]


def test_many_slices_keep_their_order() -> None:
    values = [event(id=str(n)) for n in range(1_700)]
    values[600] = b"{"
    batch, dead = decode(of(*values))
    assert [e.id for e in batch.events] == [str(n) for n in range(1_700) if n != 600]
    assert batch.offsets == [100 + n for n in range(1_700) if n != 600]
    assert [letter.offset for letter in dead] == [700]


def test_no_records_is_an_empty_batch() -> None:
    assert decode([]) == (Batch([], [], []), [])


# Pieces that are events, broken, or look like events only once they are joined.
PIECES = [
    *[GOOD, event(time="2026-01-01T00:00:00Z"), b'{"service":"a"', b'"time":1767225600000}'],
    *[b"{", b"}", b"\n", b" ", b",", b'"', b"\\", b"[", b"]", b"null", b"\xff", b"\xc3", b"\xa9"],
    *[b'{"x":"}', b'{"}', b'{"x":{}', b'{"x":[{}', b"{}]}", b'"specversion":"1.0"', b'"data":'],
    *[b"1e999", b"NaN", b'"\\u007d\\u000a\\u007b"', b"\r", b"\x00"],
]
hostile = st.lists(
    st.one_of(
        st.none(),
        st.just(GOOD),
        st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join),
        st.binary(max_size=12),
    ),
    max_size=12,
)


def _cut_anywhere(text: bytes, cuts: list[int]) -> list[bytes | None]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(places)]


split_json = st.builds(
    _cut_anywhere,
    st.lists(st.sampled_from([GOOD, event(x=[{}, {"y": "}\n{"}]), b"\n"]), max_size=4).map(
        b"\n".join
    ),
    st.lists(st.integers(0, 400), max_size=6),
)


@given(hostile | split_json)
@example([GOOD + GOOD, b'{"service":"a","time":1767225600000,"x":"}', b'{"}'])
@example([GOOD + b"\n" + GOOD, b'{"service":"a","x":{}', b'{},"time":1767225600000}'])
@example([b'{"service":"a","time":1767225600000,"x":[{}', b"{}]}", GOOD + GOOD])
@example([GOOD, b'"x"', GOOD])
def test_together_is_as_alone(values: list[bytes | None]) -> None:
    records = of(*values)
    batch, dead = decode(records)
    alone = [decode([record]) for record in records]
    assert batch.events == [e for b, _ in alone for e in b.events]
    assert batch.offsets == [o for b, _ in alone for o in b.offsets]
    assert list(batch.values) == [v for b, _ in alone for v in b.values]
    assert dead == [letter for _, d in alone for letter in d]
    assert len(batch.events) + len(dead) == len(records)
    assert all(type(e.time) is int for e in batch.events)
    assert {letter.reason for letter in dead} <= set(Reason)


# The marks of an envelope, in what may be one or an event that only has such a field.
enveloped = st.lists(
    st.tuples(
        st.sampled_from([GOOD[:-1], b'{"y":0']),
        st.sampled_from([b',"specversion":', rb',"spec\u0076ersion":', b',"x":{},"specversion":']),
        st.sampled_from([b'"1.0"', b'""', b"null", b'{"service":"b"}']),
        st.sampled_from([b"}", b',"data":' + GOOD + b"}", b',"data_base64":"e30="}']),
    ).map(b"".join),
    min_size=1,
    max_size=3,
)


@given(hostile | split_json | enveloped)
def test_all_at_once_is_as_the_plain_way(values: list[bytes | None]) -> None:
    decoder = EventDecoder("request", NOW + LIMITS.max_future_ms, LIMITS.max_event_bytes, None)
    records = of(*values)
    events = decoder.together(records)
    if events is not None:
        assert events == [found.event for record in records for found in decoder.each(record)]


spaced = st.lists(
    st.tuples(
        st.sampled_from([GOOD, b"{}"]), st.sampled_from([b"\r\n", b" \n", b"\t", b"\x0b\n"])
    ).map(b"".join),
    max_size=4,
)


@given(hostile | split_json | spaced, st.integers(1, 5))
def test_lines_in_one_piece_are_as_each_alone(values: list[bytes | None], step: int) -> None:
    held = [value for value in values if value is not None]
    piece = Lines(held, range(3, 3 + step * len(held), step))
    records = list(piece)
    assert [record.offset for record in records] == list(piece.offsets)
    alone = [decode([record]) for record in records]
    for batch, dead in (decode(piece), decode(records)):
        assert batch.events == [e for b, _ in alone for e in b.events]
        assert list(batch.offsets) == [o for b, _ in alone for o in b.offsets]
        assert list(batch.values) == [v for b, _ in alone for v in b.values]
        assert dead == [letter for _, d in alone for letter in d]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
field_names = st.sampled_from(
    ["service", "time", "id", "status_code", "duration_ms", "attributes", "specversion", "data"]
)
headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_time", "content-type", "x"]),
        st.binary(max_size=4) | st.just(b"application/cloudevents+json"),
    ),
    max_size=3,
)


@given(
    st.dictionaries(field_names, json_values),
    headers,
    st.sampled_from(["request", "incident", "change"]),
)
def test_nothing_raises(
    fields: dict[str, object], headers: list[tuple[str, bytes]], kind: EventKind
) -> None:
    value = json.dumps({"service": "a", "time": NOW} | fields).encode()
    batch, dead = decode([Record(1, value, headers), Record(2, value)], kind)
    assert len(batch.events) + len(dead) == 2
    for decoded in batch.events:
        assert decoded.service.encode()
