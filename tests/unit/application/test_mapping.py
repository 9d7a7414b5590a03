"""Source mappings, applied."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.decode import DecodeLimits, decode_batch
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.refusal import Reason
from servicelevel.domain.model import EventKind
from servicelevel.errors import EventError
from servicelevel.schemas.events import Event, IncidentEvent
from servicelevel.schemas.mapping import MappingSpec

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TIME_REASONS = {Reason.BAD_TIME, Reason.IMPLAUSIBLE_TIME, Reason.FUTURE_TIME}


class Record(NamedTuple):
    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    timestamp: int = NOW


def mapping(fields: dict[str, Any], **more: Any) -> SourceMapping:
    base = {"service": {"value": "a"}, "time": {"value": NOW}}
    return SourceMapping(MappingSpec.model_validate({"fields": base | fields, **more}))


def test_reads_paths_templates_constants_and_defaults() -> None:
    mapped = mapping(
        {
            "service": "host.name",
            "id": "trace[0]",
            "operation": {"template": "{http.method} {http.path}!"},
            "status_code": {"path": "code", "default": 200},
        },
        attributes={"region": "host.region", "stage": {"value": "live"}, "zone": "host.zone"},
    )
    document = {
        "host": {"name": "shop", "region": "eu"},
        "trace": ["t1", "t2"],
        "http": {"method": "GET", "path": "/"},
    }
    assert mapped.event(document) == Event(
        service="shop",
        time=NOW,
        id="t1",
        operation="GET /!",
        status_code=200,
        attributes={"region": "eu", "stage": "live"},
    )


def test_reads_an_opentelemetry_span() -> None:
    mapped = mapping(
        {
            "service": "resource.attributes[?key=='service.name'].value.stringValue | [0]",
            "time": {"path": "endTimeUnixNano", "format": "epoch_ns"},
            "status_code": "attributes[?key=='http.response.status_code'].value.intValue | [0]",
        }
    )
    document = {
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "endTimeUnixNano": "1767225600123999999",
        "attributes": [{"key": "http.response.status_code", "value": {"intValue": "503"}}],
    }
    assert mapped.event(document) == Event(service="shop", time=NOW + 123, status_code=503)


@pytest.mark.parametrize(
    ("format_", "raw", "expected"),
    [
        (None, NOW, NOW),
        (None, "2026-01-01T00:00:00.5Z", NOW + 500),
        ("rfc3339", "2026-01-01T01:00:00+01:00", NOW),
        ("epoch_s", 1_767_225_600, NOW),
        ("epoch_s", 1_767_225_600.123, NOW + 123),
        ("epoch_s", "1767225600.999999", NOW + 999),
        ("epoch_ms", f"{NOW}.9", NOW),
        ("epoch_us", NOW * 1_000 + 999, NOW),
        ("epoch_ns", NOW * 1_000_000 + 999_999, NOW),
        ("%d/%b/%Y:%H:%M:%S %z", "01/Jan/2026:02:00:00 +0200", NOW),
        ("%Y-%m-%d %H:%M:%S,%f", "2026-01-01 00:00:00,250", NOW + 250),
    ],
)
def test_reads_times(format_: str | None, raw: Any, expected: int) -> None:
    mapped = mapping({"time": {"path": "at", "format": format_}})
    assert mapped.event({"at": raw}).time == expected


@given(st.integers(0, 4_000_000_000_000))
def test_seconds_with_milliseconds_are_exact(milliseconds: int) -> None:
    mapped = mapping({"time": {"path": "at", "format": "epoch_s"}})
    assert mapped.event({"at": milliseconds / 1_000}).time == milliseconds


@pytest.mark.parametrize(
    ("unit", "raw", "expected"),
    [
        (None, 12.5, 12.5),
        ("s", "0.035", 35.0),
        ("s", 0.035, 35.0),
        ("s", 1.001, 1001.0),
        ("us", 1_500, 1.5),
        ("ns", 1_500_000, 1.5),
    ],
)
def test_reads_durations(unit: str | None, raw: Any, expected: float) -> None:
    mapped = mapping({"duration_ms": {"path": "took", "unit": unit}})
    assert mapped.event({"took": raw}).duration_ms == expected


@pytest.mark.parametrize("nothing", [None, "", "-"])
def test_a_logs_nothing_is_absent(nothing: Any) -> None:
    mapped = mapping({"status_code": "code", "operation": {"template": "{code} x"}})
    assert mapped.event({"code": nothing}) == Event(service="a", time=NOW)


@pytest.mark.parametrize(
    ("fields", "document"),
    [
        ({"service": "host"}, {}),
        ({"service": "host"}, {"host": {"name": "x"}}),
        ({"service": "host"}, {"host": "x" * 257}),
        ({"time": "at"}, {"at": "soon"}),
        ({"time": {"path": "at", "format": "epoch_s"}}, {"at": "Infinity"}),
        ({"time": {"path": "at", "format": "epoch_s"}}, {"at": "1e999999"}),
        ({"time": {"path": "at", "format": "%Y"}}, {"at": "no year"}),
        ({"duration_ms": "took"}, {"took": "fast"}),
        ({"duration_ms": "took"}, {"took": -1}),
        ({"duration_ms": "took"}, {"took": True}),
        ({"status_code": "code"}, {"code": 200.5}),
        ({"status_code": "code"}, {"code": [200]}),
        ({"operation": {"template": "{path}"}}, {"path": {}}),
        ({"operation": "length(code)"}, {"code": 7}),
    ],
)
def test_refuses_what_cannot_be_mapped(fields: dict[str, Any], document: Any) -> None:
    with pytest.raises(EventError) as caught:
        mapping(fields).event(document)
    assert caught.value.reason == Reason.MAPPING
    assert next(iter(fields)) in caught.value.detail


def test_refuses_attributes_that_are_no_scalars() -> None:
    with pytest.raises(EventError) as caught:
        mapping({}, attributes={"tags": "tags"}).event({"tags": ["a"]})
    assert caught.value.reason == Reason.MAPPING


def test_maps_incidents() -> None:
    spec = MappingSpec.model_validate(
        {
            "event": "incident",
            "fields": {
                "service": "svc",
                "time": {"path": "ts", "format": "epoch_s"},
                "incident_id": "nr",
                "state": {"value": "opened"},
            },
        }
    )
    document = {"svc": "shop", "ts": NOW // 1_000, "nr": 4711}
    assert SourceMapping(spec).event(document) == IncidentEvent(
        service="shop", time=NOW, incident_id="4711", state="opened"
    )


def _decode(
    values: list[bytes | None], mapped: SourceMapping, kind: EventKind = "request"
) -> tuple[list[Event], list[str]]:
    records = [Record(offset, value) for offset, value in enumerate(values)]
    batch, dead = decode_batch(
        records,
        topic="t",
        partition=0,
        kind=kind,
        now_ms=NOW,
        limits=DecodeLimits(),
        mapping=mapped,
    )
    assert len(batch.events) + len(dead) == len(records)
    return batch.events, [letter.reason for letter in dead]


def test_a_mapping_works_inside_decoding() -> None:
    mapped = mapping({"service": "host", "time": {"path": "at", "format": "epoch_s"}})
    events, reasons = _decode(
        [
            b'{"host":"shop","at":1767225600}',
            b'{"at":1767225600}',
            b"[]",
            b"{",
            b'{"host":"shop","at":1767225600000}',
            b'{"host":"shop"}',
            b'{"specversion":"1.0","time":"2026-01-01T00:00:00Z","data":{"host":"shop"}}',
            b'{"host":"shop","at":1767225600,"path":"\xff"}',
            None,
        ],
        mapped,
    )
    assert events == [Event(service="shop", time=NOW)] * 2
    assert reasons == [
        Reason.MAPPING,
        Reason.NOT_AN_OBJECT,
        Reason.BROKEN_JSON,
        Reason.FUTURE_TIME,
        Reason.MISSING_FIELD,
        Reason.INVALID_UTF8,
        Reason.NULL_VALUE,
    ]


def test_invalid_utf8_is_replaced_where_a_mapping_says_so() -> None:
    mapped = mapping({"operation": "path"}, invalid_utf8="replace")
    events, reasons = _decode([b'{"path":"/\xff"}'], mapped)
    assert reasons == []
    assert events[0].operation == "/�"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), json_values))
def test_a_document_is_mapped_or_refused(document: dict[str, Any]) -> None:
    mapped = mapping(
        {
            "time": {"path": "a", "format": "epoch_s"},
            "duration_ms": {"path": "b", "unit": "s"},
            "status_code": "c",
            "operation": {"template": "{d} {a[0]}"},
        },
        attributes={"d": "d.e"},
    )
    _, reasons = _decode([json.dumps(document, allow_nan=False).encode()], mapped)
    assert set(reasons) <= {Reason.MAPPING, Reason.MISSING_FIELD, *TIME_REASONS}
