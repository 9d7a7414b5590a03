"""CloudEvents of outputs: the contract's fields, stable ids, nothing that JSON cannot say."""

import base64
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from math import inf, nan

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.corrections import Correction
from servicelevel.domain.outputs import (
    AlertState,
    DeadLetter,
    Evidence,
    Forecast,
    LateEvent,
    Percentile,
    Status,
    StatusRemoved,
    Transition,
)
from servicelevel.domain.severity import Severity
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.moments import rfc3339
from servicelevel.schemas.outputs import encode, message, parse_status, parse_transition
from tests.builders.outputs import event_of

AT = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z

TRANSITION = Transition(
    id="t1",
    kind="warning",
    state=AlertState.RAISED,
    alert_id="a1",
    slo="checkout-availability",
    objective="main",
    service="checkout",
    group="",
    severity=Severity.PAGE,
    rule="1h/5m",
    at_ms=AT,
    raised_at_ms=AT - 1000,
    burn_rate_long=20.0,
    burn_rate_short=inf,
    good=980,
    total=1000,
    target=Fraction(999, 1000),
    budget_remaining=nan,
    early=False,
    definition_digest="d1",
    evidence=Evidence(
        from_ms=AT - 10_000,
        windows={"1h": (980, 1000)},
        offsets={"requests/0": (5, 9)},
        dimensions={"status_code=500": 20, "operation=POST /pay": 12},
    ),
)
STATUS = Status(
    slo="checkout-availability",
    objective="main",
    service="checkout",
    group="region=eu",
    at_ms=AT,
    good=980,
    total=1000,
    sli=0.98,
    target=Fraction(999, 1000),
    allowed=1.0,
    consumed=20,
    remaining_ratio=-19.0,
    burn_rates={"1h": 20.0, "6h": None},
    state="warning",
    severity=Severity.PAGE,
    warning_alert_id="a1",
    breach_alert_id=None,
    window_ms=30 * 86_400_000,
    definition_digest="d1",
)


def test_a_transition_has_the_fields_of_the_contract() -> None:
    event = orjson.loads(message(TRANSITION).value)

    assert event["specversion"] == "1.0"
    assert event["id"] == "t1"
    assert event["type"] == "servicelevel.warning.raised"
    assert event["subject"] == "checkout-availability"
    assert event["time"] == "2026-01-01T00:00:00.123Z"
    assert event["datacontenttype"] == "application/json"
    assert event["data"] == {
        "alert_id": "a1",
        "kind": "warning",
        "state": "raised",
        "severity": "page",
        "slo": "checkout-availability",
        "objective": "main",
        "service": "checkout",
        "group": "",
        "rule": "1h/5m",
        "raised_at": "2025-12-31T23:59:59.123Z",
        "burn_rate_long": 20.0,
        "burn_rate_short": None,
        "good": 980,
        "total": 1000,
        "target": 0.999,
        "budget_remaining": None,
        "early": False,
        "definition_digest": "d1",
        "evidence": {
            "since": "2025-12-31T23:59:50.123Z",
            "windows": {"1h": {"good": 980, "total": 1000}},
            "offsets": {"requests/0": {"first": 5, "last": 9}},
            "dimensions": {"status_code=500": 20, "operation=POST /pay": 12},
        },
    }


def test_a_status_has_the_fields_of_the_contract() -> None:
    event = orjson.loads(message(STATUS).value)

    assert event["type"] == "servicelevel.status"
    assert event["subject"] == "checkout-availability/region=eu"
    data = event["data"]
    assert data["at"] == event["time"]
    assert data["error_budget"] == {"allowed": 1.0, "consumed": 20, "remaining_ratio": -19.0}
    assert data["burn_rates"] == {"1h": 20.0, "6h": None}
    assert (data["sli"], data["target"], data["state"]) == (0.98, 0.999, "warning")


@pytest.mark.parametrize(
    ("output", "topic", "key"),
    [
        (TRANSITION, "warnings", b"checkout-availability/main"),
        (replace(TRANSITION, kind="breach"), "breaches", b"checkout-availability/main"),
        (STATUS, "status", b"checkout-availability/main/region=eu"),
    ],
)
def test_each_output_has_its_topic_and_key(
    output: Transition | Status, topic: str, key: bytes
) -> None:
    assert message(output)[:2] == (topic, key)


def test_a_status_of_other_content_has_another_id() -> None:
    assert event_of(STATUS).id == event_of(replace(STATUS)).id
    for other in (
        replace(STATUS, good=981),
        replace(STATUS, group=""),
        replace(STATUS, at_ms=AT + 1),
        replace(STATUS, state="breached"),
    ):
        assert event_of(other).id != event_of(STATUS).id


def test_what_is_written_can_be_read_again() -> None:
    for output, parse in ((TRANSITION, parse_transition), (STATUS, parse_status)):
        written = message(output).value
        assert encode(parse(written)) == written


_floats = st.floats(allow_nan=True, allow_infinity=True)
_ratios = st.fractions(min_value=0, max_value=10**6, max_denominator=10**6)
_moments = st.integers(min_value=0, max_value=4_102_444_800_000)
_forecasts = st.builds(
    Forecast, st.sampled_from([60_000, 3_600_000, 90_000]), *[st.none() | _moments] * 3
)
_corrections = st.builds(
    Correction,
    name=st.text(),
    from_ms=_moments,
    to_ms=_moments,
    effect=st.sampled_from(["remove", "good"]),
    by=st.text(),
    reason=st.text(),
    recorded_at=st.text(),
)
_percentiles = st.builds(
    Percentile, _ratios, st.floats(allow_nan=False, allow_infinity=False), _moments
)
_statuses = st.builds(
    Status,
    slo=st.text(),
    objective=st.text(),
    service=st.text(),
    group=st.text(),
    at_ms=_moments,
    good=st.integers(min_value=0, max_value=2**62) | _ratios,
    total=st.integers(min_value=0, max_value=2**62),
    sli=st.none() | _floats,
    target=_ratios,
    allowed=_floats,
    consumed=st.integers(min_value=-(2**62), max_value=2**62) | _ratios,
    remaining_ratio=st.none() | _floats,
    burn_rates=st.dictionaries(st.text(), st.none() | _floats, max_size=3),
    state=st.sampled_from(["no_data", "ok", "warning", "breached"]),
    severity=st.none() | st.sampled_from(Severity),
    warning_alert_id=st.none() | st.text(),
    breach_alert_id=st.none() | st.text(),
    window_ms=st.integers(min_value=0, max_value=2**53),
    definition_digest=st.text(),
    forecast=st.none() | _forecasts,
    corrections=st.lists(_corrections, max_size=2).map(tuple),
    percentile=st.none() | _percentiles,
)


@given(_statuses)
def test_a_status_is_written_as_its_model_would_write_it(status: Status) -> None:
    written = message(status).value
    assert written is not None
    event = parse_status(written)
    assert encode(event) == written
    assert event.id == sha256(event.data.model_dump_json().encode()).hexdigest()[:32]


def test_a_reader_accepts_fields_it_does_not_know() -> None:
    event = orjson.loads(encode(event_of(STATUS)))
    event["data"]["new"] = 1
    event["new"] = 1
    assert parse_status(orjson.dumps(event)) == event_of(STATUS)


def test_a_dead_letter_keeps_the_bytes() -> None:
    letter = DeadLetter("requests", 2, 7, "not_json", "byte 0", b"\xff\x00", None, AT)
    event = orjson.loads(dead_letter_event(letter))

    assert (event["id"], event["subject"]) == ("dead-letter/requests/2/7", "requests/2/7")
    assert base64.b64decode(event["data"]["value_base64"]) == b"\xff\x00"
    assert event["data"]["key_base64"] is None
    assert event["data"]["reason"] == "not_json"


def test_a_gap_is_a_dead_letter_that_names_what_is_lost() -> None:
    letter = DeadLetter("requests", 2, 7, "gap", "deleted", None, None, AT, 41)
    event = orjson.loads(dead_letter_event(letter))
    assert event["id"] == "dead-letter/requests/2/7-41"
    assert event["subject"] == "requests/2/7-41"
    assert (event["data"]["offset"], event["data"]["last_offset"]) == (7, 41)
    assert event["data"]["value_base64"] is None


def test_a_dead_letter_always_fits_a_broker_s_limit() -> None:
    whole = bytes(1024 * 1024)
    letter = DeadLetter("requests", 2, 7, "too_large", "x" * 300, whole, whole, AT)
    encoded = dead_letter_event(letter)
    data = orjson.loads(encoded)["data"]

    assert len(encoded) < 1_000_000
    assert data["value_bytes"] == len(whole)
    assert base64.b64decode(data["value_base64"]) == whole[: 512 * 1024]


def test_a_late_event_says_how_late_and_what_became_of_it() -> None:
    late = LateEvent("requests", 0, 3, "checkout", AT, AT + 60_000, 60_000, "revision", b"{}")
    event = orjson.loads(late_event(late))

    assert (event["id"], event["time"]) == ("late/requests/0/3", "2026-01-01T00:00:00.123Z")
    assert event["data"]["lateness_ms"] == 60_000
    assert event["data"]["disposition"] == "revision"


@given(st.integers())
def test_any_time_can_be_written(time_ms: int) -> None:
    text = rfc3339(time_ms)
    assert len(text) == len("2026-01-01T00:00:00.000Z")
    assert text.endswith("Z")


@pytest.mark.parametrize("group", ["", "region=eu"])
def test_a_status_that_is_void_is_the_tombstone_of_its_key(group: str) -> None:
    status = replace(STATUS, group=group)
    removed = StatusRemoved(status.slo, status.objective, status.service, group, AT + 1)
    assert message(removed) == ("status", message(status).key, None)
