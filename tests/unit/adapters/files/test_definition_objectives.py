"""How targets, windows and methods become objectives."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from importlib.resources import files
from typing import Any

import pytest
import yaml

from servicelevel.adapters.files.definitions import Loaded
from servicelevel.adapters.files.slo_windows import time_zone
from servicelevel.domain.slices import RatioSlices, TimeSlices
from tests.builders.definitions import only, policy, ratio, rules_of, slo, source, threshold

HOUR = 3_600_000
MINUTE = 60_000
Load = Callable[..., Loaded]
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("target: 0.999", Fraction(999, 1000)),
        ("target: 0.99950", Fraction(9995, 10_000)),
        ("target: 0", Fraction(0)),
        ("targetPercent: 99.95", Fraction(9995, 10_000)),
        ("targetPercent: 99", Fraction(99, 100)),
    ],
)
def test_targets_are_exact(load: Load, text: str, target: Fraction) -> None:
    document = yaml.safe_dump(slo(objectives=["HERE"])).replace("HERE", f"{{{text}}}")
    loaded = load(document)
    assert rules_of(loaded.findings) in ([], ["servicelevel/never-fires"])
    assert loaded.catalogue.slos["availability"].objectives[0].target == target


def test_objectives_have_unique_names(load: Load) -> None:
    titles = ["", "Gold", "gold!", "金", "objective 1"]
    objectives = [{"target": 0.999} | ({"displayName": t} if t else {}) for t in titles]
    names = [o.name for o in only(load(slo(objectives=objectives))).objectives]
    assert names == ["objective-1", "gold", "gold-3", "objective-4", "objective-1-5"]


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"timeWindow": [{"duration": "2Y", "isRolling": True}]}, "unsupported/time-window"),
        ({"indicatorRef": "nowhere"}, "reference/unresolved"),
        ({"alertPolicies": [{"alertPolicyRef": "nowhere"}]}, "reference/unresolved"),
        ({"indicator": ratio(good={"metricSource": {"type": "prometheus", "spec": {"q": "x"}}})},
         "unsupported/source"),
        ({"indicator": ratio(good={"metricSource": {
            "metricSourceRef": "nowhere", "spec": {"q": "x"}}})}, "unsupported/source"),
        ({"indicator": {"metadata": {"name": "raw"}, "spec": {"ratioMetric": {
            "raw": source(), "rawType": "success"}}}}, "unsupported/source"),
        ({"alertPolicies": [policy(severity="sev1")]}, "unsupported/severity"),
        ({"alertPolicies": [policy(op="lte")]}, "unsupported/op"),
        ({"alertPolicies": [policy(lookbackWindow="31d")]}, "unsupported/window"),
    ],
)  # fmt: skip
def test_valid_but_not_evaluated(load: Load, spec: dict[str, Any], rule: str) -> None:
    document = slo(**spec)
    document["spec"] = {k: v for k, v in document["spec"].items() if v is not None}
    loaded = load(document)
    assert [f for f in loaded.findings if f.severity == "error"] == []
    assert [(f.rule, f.severity) for f in loaded.unsupported] == [(rule, "error")]
    assert loaded.catalogue.slos == {}
    assert loaded.is_valid
    assert not loaded.is_complete


def test_a_source_of_ours_by_reference(load: Load) -> None:
    data_source = {
        "apiVersion": "openslo/v1",
        "kind": "DataSource",
        "metadata": {"name": "stream"},
        "spec": {"type": "servicelevel", "connectionDetails": {"token": None, "a": {"b": None}}},
    }
    metric = {"metricSource": {"metricSourceRef": "stream", "spec": {"where": "status_code < 500"}}}
    found = only(load(data_source, slo(indicator=ratio(good=metric))))
    assert found.objectives[0].indicator.good == "status_code < 500"


def test_what_is_empty_in_a_source_of_another_type_is_not_ours_to_judge(load: Load) -> None:
    metric = {"metricSource": {"type": "prometheus", "spec": {"query": "up", "step": None}}}
    assert load(slo(indicator=ratio(good=metric))).findings == []


# Slices


def test_time_slices(load: Load) -> None:
    sliced = {"target": 0.99, "timeSliceTarget": 0.95, "timeSliceWindow": "5m"}
    (objective,) = only(load(slo(budgetingMethod="Timeslices", objectives=[sliced]))).objectives
    assert objective.slices == TimeSlices(300_000, Fraction(95, 100))
    assert objective.indicator.slice_ms == 300_000


def test_ratio_time_slices(load: Load) -> None:
    sliced = {"target": 0.99, "timeSliceWindow": "1h"}
    found = only(load(slo(budgetingMethod="RatioTimeslices", objectives=[sliced])))
    assert found.objectives[0].slices == RatioSlices(HOUR)
    assert found.objectives[0].indicator.slice_ms == HOUR // 4  # old panes are quarters of an hour


def test_a_threshold_in_slices(load: Load) -> None:
    sliced = {"target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": "1m", "op": "lt"}
    document = slo(
        indicator=threshold(value="duration_ms"),
        budgetingMethod="Timeslices",
        objectives=[sliced | {"value": 250}],
    )
    (objective,) = only(load(document)).objectives
    assert objective.indicator.good == "duration_ms < 250.0"
    assert objective.slices == TimeSlices(MINUTE, Fraction(9, 10))


@pytest.mark.parametrize("method", ["Timeslices", "RatioTimeslices"])
@pytest.mark.parametrize("aggregate", ["throughput", "p99"])
def test_what_has_intervals_has_no_slices_besides(load: Load, method: str, aggregate: str) -> None:
    value = {} if aggregate == "throughput" else {"value": "duration_ms"}
    loaded = load(
        slo(
            indicator=threshold(aggregate=aggregate, interval="1m", **value),
            budgetingMethod=method,
            objectives=[
                {"op": "gte", "value": 1, "target": 0.9, "timeSliceTarget": 0.9}
                | {"timeSliceWindow": "5m"}
            ],
        )
    )
    assert loaded.is_valid
    assert rules_of(loaded.unsupported) == ["unsupported/method"]


@pytest.mark.parametrize(
    ("length", "rule", "severity"),
    [
        ("7m", "unsupported/slice", "error"),
        ("20m", "unsupported/slice", "error"),
        ("31d", "servicelevel/interval", "error"),
    ],
)
def test_slices_that_cannot_be(load: Load, length: str, rule: str, severity: str) -> None:
    sliced = {"target": 0.99, "timeSliceTarget": 0.95, "timeSliceWindow": length}
    loaded = load(slo(budgetingMethod="Timeslices", objectives=[sliced]))
    (finding,) = [*loaded.findings, *loaded.unsupported]
    assert (finding.rule, finding.severity) == (rule, severity)
    assert loaded.catalogue.slos == {}


# Calendars


def calendar(duration: str, start: str, zone: str = "Europe/Berlin") -> list[dict[str, Any]]:
    return [{"duration": duration, "calendar": {"startTime": start, "timeZone": zone}}]


def test_a_calendar_in_a_time_zone(load: Load) -> None:
    found = only(load(slo(timeWindow=calendar("1M", "2026-01-01 00:00:00"))))
    assert (found.window_ms, found.window_name) == (30 * 24 * HOUR, "1M")
    assert found.calendar is not None
    inside = datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp()
    begin, end = found.calendar.period(int(inside) * 1000)
    assert datetime.fromtimestamp(begin / 1000, UTC) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert datetime.fromtimestamp(end / 1000, UTC) == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_a_weeks_budget_at_9995_is_5_minutes(load: Load) -> None:
    window = calendar("1w", "2026-01-05 00:00:00", "UTC")
    found = only(load(slo(timeWindow=window, objectives=[{"target": 0.9995}])))
    budget = (1 - found.objectives[0].target) * found.window_ms / MINUTE
    assert budget == Fraction("5.04")


def test_another_zone_is_another_definition(load: Load) -> None:
    zones = ["Europe/Berlin", "Europe/Paris", "UTC"]
    windows = [calendar("1M", "2026-01-01 00:00:00", zone) for zone in zones]
    assert len({only(load(slo(timeWindow=window))).digest for window in windows}) == len(zones)


@pytest.mark.parametrize(
    ("duration", "start", "zone"),
    [
        ("1M", "2026-01-01 00:10:00", "UTC"),
        ("1d", "2026-01-01 00:00:01", "UTC"),
        ("20m", "2026-01-01 00:00:00", "UTC"),
        ("5m", "2026-01-01 00:00:00", "UTC"),
        ("1h", "1890-01-01 00:00:00", "Europe/Berlin"),  # 53 min 28 s before Greenwich then
    ],
)
def test_calendars_that_old_counts_do_not_fit(
    load: Load, duration: str, start: str, zone: str
) -> None:
    loaded = load(slo(timeWindow=calendar(duration, start, zone)))
    assert loaded.is_valid
    assert rules_of(loaded.unsupported) == ["unsupported/calendar"]
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize(
    ("duration", "start", "zone"),
    [
        ("1d", "1890-01-01 00:00:00", "Europe/Berlin"),
        ("1M", "0001-01-01 00:00:00", "Asia/Kathmandu"),
        ("1Q", "9999-12-31 23:45:00", "America/St_Johns"),
        ("12h", "2026-01-01 06:00:00", "Asia/Kathmandu"),
    ],
)
def test_every_period_has_a_begin(load: Load, duration: str, start: str, zone: str) -> None:
    found = only(load(slo(timeWindow=calendar(duration, start, zone))))
    assert found.calendar is not None
    now_ms = 1_767_225_600_000
    begin, end = found.calendar.period(now_ms)
    assert begin < now_ms <= end
    assert begin % (HOUR // 4) == end % (HOUR // 4) == 0


def test_every_time_zone_that_is_taken_is_there() -> None:
    names = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    assert len(names) > 400
    for name in names:
        assert time_zone(name).key == name
