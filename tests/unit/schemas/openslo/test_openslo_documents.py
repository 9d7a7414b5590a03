"""Each kind of OpenSLO v1, field by field, as strict documents."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from servicelevel.schemas.openslo.common import Duration
from servicelevel.schemas.openslo.kinds import KINDS

METRIC = {"metricSource": {"type": "prometheus", "spec": {"query": "up"}}}
TARGET_ENTRY = {"targetRef": "on-call"}
CONDITION = {
    "severity": "page",
    "condition": {
        "kind": "burnrate",
        "op": "gt",
        "threshold": Decimal("14.4"),
        "lookbackWindow": "1h",
        "alertAfter": "0m",
    },
}
SPECS: dict[str, dict[str, Any]] = {
    "Service": {"description": "Takes orders."},
    "DataSource": {"type": "Prometheus", "connectionDetails": {"url": "http://127.0.0.1"}},
    "SLI": {"ratioMetric": {"counter": True, "good": METRIC, "total": METRIC}},
    "SLO": {
        "service": "checkout",
        "indicatorRef": "sli",
        "budgetingMethod": "Timeslices",
        "timeWindow": [
            {
                "duration": "1M",
                "isRolling": False,
                "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"},
            }
        ],
        "objectives": [
            {"target": Decimal("0.99"), "timeSliceTarget": Decimal(1), "timeSliceWindow": "5m"}
        ],
        "alertPolicies": [{"alertPolicyRef": "policy"}],
    },
    "AlertPolicy": {
        "alertWhenNoData": False,
        "alertWhenResolved": True,
        "alertWhenBreaching": True,
        "conditions": [{"conditionRef": "burn"}],
        "notificationTargets": [TARGET_ENTRY],
    },
    "AlertCondition": CONDITION,
    "AlertNotificationTarget": {"target": "mail"},
}
REMOVED = object()


def document(kind: str, **changes: Any) -> dict[str, Any]:
    """A valid document with changes, addressed as `a__0__b`, from the top."""
    result: dict[str, Any] = {
        "apiVersion": "openslo/v1",
        "kind": kind,
        "metadata": {"name": "thing"},
        "spec": copy.deepcopy(SPECS[kind]),
    }
    for path, value in changes.items():
        *parents, last = [int(k) if k.isdigit() else k for k in path.split("__")]
        place: Any = result
        for key in parents:
            place = place[key]
        if value is REMOVED:
            del place[last]
        else:
            place[last] = value
    return result


def refused(kind: str, *, lenient: bool = False, **changes: Any) -> list[str]:
    """The rules (our own or pydantic's) that refuse the document; empty if it is valid."""
    try:
        KINDS[kind].model_validate(document(kind, **changes), context={"lenient": lenient})
    except ValidationError as error:
        return [(e.get("ctx") or {}).get("rule", e["type"]) for e in error.errors()]
    return []


@pytest.mark.parametrize("kind", KINDS)
def test_the_examples_are_valid(kind: str) -> None:
    assert refused(kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_refused_everywhere(kind: str) -> None:
    assert refused(kind, extra=1) == ["extra_forbidden"]
    assert refused(kind, metadata__extra=1) == ["extra_forbidden"]
    assert refused(kind, spec__extra=1) == ["extra_forbidden"]


@pytest.mark.parametrize("kind", KINDS)
def test_descriptions_are_bounded(kind: str) -> None:
    assert refused(kind, spec__description="x" * 1050) == []
    assert refused(kind, spec__description="x" * 1051) == ["string_too_long"]


@pytest.mark.parametrize("name", ["a", "a-1", "1", "a" * 63])
def test_names(name: str) -> None:
    assert refused("Service", metadata__name=name) == []


@pytest.mark.parametrize(
    "name", ["", "a\n", "A", "a_b", "-a", "a-", "a.b", "a" * 64, "ä", "\u0661"]
)
def test_names_that_are_no_dns_label(name: str) -> None:
    assert refused("Service", metadata__name=name) == ["openslo/name"]


def test_a_number_is_no_name() -> None:
    assert refused("Service", metadata__name=123) == ["string_type"]


def test_labels_and_annotations() -> None:
    labels = {"team": "a", "Tier.1_x": ["b", "c"]}
    annotations = {"my-domain.org/my-key": "x", "plain": "y"}
    assert refused("Service", metadata__labels=labels, metadata__annotations=annotations) == []
    assert refused("Service", metadata__labels={"a": 1}) == ["string_type"]
    assert refused("Service", metadata__labels={"-a": "1"}) == ["openslo/label"]
    assert refused("Service", metadata__labels={"a\n": "1"}) == ["openslo/label"]
    assert refused("Service", metadata__annotations={"a": ["1"]}) == ["string_type"]
    assert refused("Service", metadata__annotations={"/a": "1"}) == ["openslo/annotation"]
    assert refused("Service", metadata__annotations={"a/b/c": "1"}) == ["openslo/annotation"]


def test_a_long_display_name_needs_leniency() -> None:
    assert refused("Service", metadata__displayName="x" * 64) == ["openslo/display-name"]
    assert refused("Service", lenient=True, metadata__displayName="x" * 64) == []


@pytest.mark.parametrize(
    "ratio",
    [
        {"good": METRIC, "total": METRIC},
        {"bad": METRIC, "total": METRIC},
        {"raw": METRIC, "rawType": "failure"},
    ],
)
def test_ratios(ratio: dict[str, Any]) -> None:
    assert refused("SLI", spec__ratioMetric=ratio) == []


@pytest.mark.parametrize(
    ("ratio", "rule"),
    [
        ({"good": METRIC, "bad": METRIC, "total": METRIC}, "openslo/one-of"),
        ({"good": METRIC}, "openslo/one-of"),
        ({"total": METRIC}, "openslo/one-of"),
        ({"raw": METRIC, "total": METRIC, "rawType": "success"}, "openslo/one-of"),
        ({"raw": METRIC}, "openslo/ratio"),
        ({"raw": METRIC, "good": METRIC, "rawType": "success"}, "openslo/ratio"),
        ({"good": METRIC, "total": METRIC, "rawType": "success"}, "openslo/ratio"),
        ({"raw": METRIC, "rawType": "Success"}, "literal_error"),
        ({"good": {"metricSource": {"type": "x", "spec": {}}}, "total": METRIC}, "too_short"),
        ({"good": {"metricSource": {"type": "x"}}, "total": METRIC}, "missing"),
    ],
)
def test_ratios_of_another_shape(ratio: dict[str, Any], rule: str) -> None:
    assert refused("SLI", spec__ratioMetric=ratio) == [rule]


def test_an_sli_has_one_form() -> None:
    assert refused("SLI", spec__thresholdMetric=METRIC) == ["openslo/one-of"]
    assert refused("SLI", spec={}) == ["openslo/one-of"]
    assert refused("SLI", spec={"thresholdMetric": METRIC}) == []


@pytest.mark.parametrize("text", ["1m", "12h", "30d", "4w", "1M", "1Q", "1Y", "05m"])
def test_durations(text: str) -> None:
    assert refused("SLO", spec__timeWindow__0__duration=text) == []


@pytest.mark.parametrize(
    "text",
    ["", "1", "1s", "1D", "1H", "1y", "-1d", "+1d", "1.5h", "1h\n", "1h30m", "\u0663d", "0d", 1],
)
def test_durations_of_another_form(text: Any) -> None:
    assert refused("SLO", spec__timeWindow__0__duration=text) == ["openslo/duration"]


def test_units_are_case_sensitive() -> None:
    window = {"duration": "1m", "isRolling": True}
    slo = KINDS["SLO"].model_validate(document("SLO", spec__timeWindow=[window]))
    month = KINDS["SLO"].model_validate(document("SLO"))
    assert slo.spec.time_window[0].duration == Duration("1m", 60_000)  # type: ignore[union-attr]
    assert month.spec.time_window[0].duration.ms == 30 * 86_400_000  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2026-01-01T00:00:00", "2026-02-30 00:00:00", "2026-1-1 0:0:0",
     "2026-01-01 00:00:00\n", "2026-01-01 24:00:00", "2026-01-01 00:00:00Z", ""],
)  # fmt: skip
def test_start_times_of_another_form(text: str) -> None:
    changes: dict[str, Any] = {"spec__timeWindow__0__calendar__startTime": text}
    assert refused("SLO", **changes) == ["openslo/start-time"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Etc/GMT+5"])
def test_time_zones(zone: str) -> None:
    assert refused("SLO", spec__timeWindow__0__calendar__timeZone=zone) == []


@pytest.mark.parametrize(
    "zone", ["", "Europe", "europe/berlin", "Mars/One", "../etc/passwd", "CEST"]
)
def test_time_zones_that_do_not_exist(zone: str) -> None:
    changes: dict[str, Any] = {"spec__timeWindow__0__calendar__timeZone": zone}
    assert refused("SLO", **changes) == ["openslo/time-zone"]


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        ({"duration": "1d"}, "openslo/time-window"),
        ({"duration": "1d", "isRolling": False}, "openslo/time-window"),
        ({"duration": "1d", "isRolling": "yes"}, "bool_type"),
        ({"duration": "1d", "isRolling": 1}, "bool_type"),
        (
            {
                "duration": "1d",
                "isRolling": True,
                "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"},
            },
            "openslo/time-window",
        ),
    ],
)
def test_windows_of_another_shape(window: dict[str, Any], rule: str) -> None:
    assert refused("SLO", spec__timeWindow=[window]) == [rule]


def test_there_is_one_window() -> None:
    window = {"duration": "1d", "isRolling": True}
    assert refused("SLO", spec__timeWindow=[window, window]) == ["too_long"]
    assert refused("SLO", spec__timeWindow=[]) == ["openslo/time-window"]
    assert refused("SLO", spec__timeWindow=REMOVED) == ["openslo/time-window"]
    assert refused("SLO", spec__timeWindow=REMOVED, lenient=True) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"target": Decimal(1)}, "openslo/target"),
        ({"target": 1}, "openslo/target"),
        ({"target": Decimal("-0.1")}, "openslo/target"),
        ({"target": "0.99"}, "is_instance_of"),
        ({"target": 0.99}, "is_instance_of"),
        ({"target": True}, "is_instance_of"),
        ({"target": REMOVED}, "openslo/one-of"),
        ({"targetPercent": Decimal(99)}, "openslo/one-of"),
        ({"target": REMOVED, "targetPercent": 100}, "openslo/target"),
        ({"timeSliceTarget": Decimal(0)}, "openslo/time-slice"),
        ({"timeSliceTarget": Decimal("1.01")}, "openslo/time-slice"),
        ({"timeSliceTarget": REMOVED}, "openslo/time-slice"),
        ({"timeSliceWindow": REMOVED}, "openslo/time-slice"),
        ({"timeSliceWindow": 0}, "openslo/duration"),
        ({"timeSliceWindow": True}, "openslo/duration"),
        ({"timeSliceWindow": "0m"}, "openslo/time-slice"),
        ({"timeSliceWindow": 5}, "openslo/duration"),
        ({"compositeWeight": 0}, "openslo/composite"),
        ({"op": "<="}, "literal_error"),
        ({"value": "300"}, "is_instance_of"),
    ],
)
def test_objectives_of_another_shape(changes: dict[str, Any], rule: str) -> None:
    paths: dict[str, Any] = {
        f"spec__objectives__0__{field}": value for field, value in changes.items()
    }
    assert refused("SLO", **paths) == [rule]


def test_an_slo_has_objectives() -> None:
    assert refused("SLO", spec__objectives=[]) == ["too_short"]
    assert refused("SLO", spec__budgetingMethod="TimeSlices") == ["literal_error"]


def test_the_indicator_stands_in_one_place() -> None:
    inline = {"metadata": {"name": "sli"}, "spec": SPECS["SLI"]}
    objective = {"target": Decimal("0.9"), "timeSliceTarget": 1, "timeSliceWindow": "5m"}
    own = objective | {"indicator": inline, "compositeWeight": Decimal("0.5")}
    assert refused("SLO", spec__indicator=inline) == ["openslo/one-of"]
    assert refused("SLO", spec__indicatorRef=REMOVED) == ["openslo/one-of"]
    assert refused("SLO", spec__objectives=[own]) == ["openslo/composite"]
    assert refused("SLO", spec__indicatorRef=REMOVED, spec__objectives=[own, own]) == []
    mixed = refused("SLO", spec__indicatorRef=REMOVED, spec__objectives=[own, objective])
    assert mixed == ["openslo/one-of"]


def test_an_inline_indicator_repeats_no_header() -> None:
    inline = {"kind": "SLI", "metadata": {"name": "sli"}, "spec": SPECS["SLI"]}
    changes: dict[str, Any] = {"spec__indicatorRef": REMOVED, "spec__indicator": inline}
    assert refused("SLO", **changes) == ["openslo/unknown-field"]
    assert refused("SLO", lenient=True, **changes) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"conditions": []}, "too_short"),
        ({"conditions": [{"conditionRef": "a"}, {"conditionRef": "b"}]}, "too_long"),
        ({"conditions": [{}]}, "openslo/one-of"),
        ({"conditions": [{"conditionRef": "a", "spec": CONDITION}]}, "openslo/one-of"),
        ({"conditions": [{"conditionRef": "a", "kind": "AlertCondition"}]}, "openslo/one-of"),
        ({"conditions": [{"spec": CONDITION}]}, "openslo/required"),
        ({"notificationTargets": []}, "too_short"),
        ({"notificationTargets": REMOVED}, "missing"),
        ({"notificationTargets": [{"targetRef": "A"}]}, "openslo/name"),
        ({"alertWhenResolved": "true"}, "bool_type"),
    ],
)
def test_policies_of_another_shape(changes: dict[str, Any], rule: str) -> None:
    paths: dict[str, Any] = {f"spec__{field}": value for field, value in changes.items()}
    assert refused("AlertPolicy", **paths) == [rule]


def test_inline_conditions_and_targets() -> None:
    condition = {"kind": "AlertCondition", "metadata": {"name": "c"}, "spec": CONDITION}
    target = {
        "kind": "AlertNotificationTarget",
        "metadata": {"name": "t"},
        "spec": {"target": "mail"},
    }
    paths: dict[str, Any] = {"spec__conditions": [condition], "spec__notificationTargets": [target]}
    assert refused("AlertPolicy", **paths) == []


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("kind", "burnRate", "literal_error"),
        ("op", REMOVED, "missing"),
        ("threshold", "2", "is_instance_of"),
        ("lookbackWindow", "0m", "openslo/duration"),
        ("alertAfter", "5s", "openslo/duration"),
    ],
)
def test_conditions_of_another_shape(field: str, value: Any, rule: str) -> None:
    changes: dict[str, Any] = {f"spec__condition__{field}": value}
    assert refused("AlertCondition", **changes) == [rule]


def test_secrets_are_not_shown() -> None:
    details = {"password": "hidden-word"}
    source = KINDS["DataSource"].model_validate(
        document("DataSource", spec__connectionDetails=details)
    )
    assert "hidden-word" not in repr(source)
