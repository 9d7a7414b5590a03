from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.domain.model import EventKind
from servicelevel.domain.rules import NoData
from servicelevel.domain.severity import Severity
from servicelevel.domain.slices import RateSlices
from servicelevel.errors import CelError, DependencyError
from tests.builders.definitions import policy, ratio, slo, source, threshold
from tests.builders.loaded import factor, only, rules_of

Load = Callable[..., Loaded]
HOUR = 3_600_000


# Indicators


def test_good_and_total(load: Load) -> None:
    indicator = ratio(
        good=source(where="status_code < 500"), total=source(where="operation != 'GET /health'")
    )
    (objective,) = only(load(slo(indicator=indicator))).objectives
    assert objective.indicator.total == "operation != 'GET /health'"
    assert objective.indicator.good == "(operation != 'GET /health') && (status_code < 500)"
    assert objective.indicator.service == "checkout"
    assert objective.target == Fraction(999, 1000)


def test_bad_and_total(load: Load) -> None:
    indicator = ratio(bad=source(where="status_code >= 500"))
    (objective,) = only(load(slo(indicator=indicator))).objectives
    assert objective.indicator.good == "!(status_code >= 500)"


def test_a_comment_swallows_no_bracket(load: Load) -> None:
    indicator = ratio(
        good=source(where="status_code < 500 // ours"), total=source(where="status_code > 0")
    )
    (objective,) = only(load(slo(indicator=indicator))).objectives
    assert objective.indicator.good == "(status_code > 0) && (status_code < 500 // ours\n)"


def test_each_response_time_threshold_is_an_indicator_of_its_own(load: Load) -> None:
    objectives = [
        {"displayName": "Fast", "op": "lte", "value": 300, "target": 0.95},
        {"displayName": "Bearable!", "op": "lt", "value": 0.1, "target": 0.999},
    ]
    found = only(load(slo(indicator=threshold(value="duration_ms"), objectives=objectives)))
    assert [(o.name, o.indicator.good) for o in found.objectives] == [
        ("fast", "duration_ms <= 300.0"),
        ("bearable", "duration_ms < 0.1"),
    ]
    assert len({o.indicator.id for o in found.objectives}) == 2


def test_throughput(load: Load) -> None:
    indicator = threshold(aggregate="throughput", interval="30s", where="status_code < 500")
    objectives = [{"op": "gte", "value": 99.5, "target": 0.99}]
    (objective,) = only(load(slo(indicator=indicator, objectives=objectives))).objectives
    assert objective.slices == RateSlices(30_000, "gte", Fraction(199, 2))
    assert objective.indicator.slice_ms == 30_000
    assert (objective.indicator.total, objective.indicator.good) == ("status_code < 500", "")


def test_group_pane_and_any_service(load: Load) -> None:
    common = {"service": "*", "groupBy": ["attributes.region", "operation"], "pane": "30s"}
    indicator = ratio(good=source(where="status_code < 500", **common), total=source(**common))
    (objective,) = only(load(slo(indicator=indicator))).objectives
    assert objective.indicator.service == "*"
    assert objective.indicator.group_by == ("attributes.region", "operation")
    assert objective.indicator.pane_ms == 30_000


def test_the_id_is_of_the_classifier_and_the_digest_of_the_definition(load: Load) -> None:
    first = only(load(slo()))
    renamed = slo("availability", objectives=[{"target": 0.99}])
    renamed["metadata"]["displayName"] = "Title"
    second = only(load(renamed))
    titled = slo()
    titled["metadata"]["labels"] = {"a": "b"}
    assert first.objectives[0].indicator.id == second.objectives[0].indicator.id
    assert first.digest != second.digest
    assert only(load(titled)).digest == first.digest
    assert first.objectives[0].indicator.id == "b082e19ea933f204"


@pytest.mark.parametrize(
    ("indicator", "rule", "says"),
    [
        (ratio(good=source(where="status_code <")), "servicelevel/where", "write"),
        (ratio(good=source(where="nonsense == 1")), "servicelevel/where", "nonsense"),
        (ratio(good=source(where=" ")), "servicelevel/where", "remove"),
        (ratio(good=source(where=True)), "openslo/type", 'write "true" in quotes'),
        (ratio(good=source(were="a")), "openslo/unknown-field", "write `where`"),
        (ratio(good=source(pane="7s")), "servicelevel/pane", "10s"),
        (ratio(good=source(pane="5m")), "servicelevel/pane", "divide a minute"),
        (ratio(good=source(event="requests")), "openslo/choice", "write request"),
        (ratio(good=source(groupBy=["region"])), "servicelevel/field", "attributes.region"),
        (ratio(good=source(groupBy=["attributes"])), "servicelevel/field", "attributes.region"),
        (ratio(good=source(groupBy=["id", "id"])), "servicelevel/group-by", "twice"),
        (ratio(good=source(groupBy=["a b"])), "servicelevel/field", "operation"),
        (ratio(good=source(groupBy=["operation"])), "servicelevel/disagree", "groupBy"),
        (ratio(good=source(service="other")), "servicelevel/disagree", "service"),
        (ratio(good=source(value="duration_ms")), "servicelevel/source", "thresholdMetric"),
        (ratio(), "openslo/one-of", "good or bad"),
        (ratio(good=source(), bad=source()), "openslo/one-of", "together"),
        (threshold(where="status_code < 500"), "servicelevel/source", "duration_ms"),
        (threshold(value="operation"), "servicelevel/field", "is no number"),
        (threshold(aggregate="throughput"), "servicelevel/source", "interval"),
        (threshold(value="duration_ms", interval="1m"), "servicelevel/source", "both, or none"),
        (threshold(aggregate="throughput", interval="15s"), "servicelevel/source", "pane 10s"),
        (threshold(aggregate="throughput", interval="2m"), "servicelevel/source", "15 minutes"),
        (threshold(aggregate="throughput", interval="20m"), "servicelevel/source", "15 minutes"),
        (
            threshold(aggregate="throughput", interval="1m", noData="bad"),
            "servicelevel/source",
            "remove noData",
        ),
        (
            threshold(aggregate="throughput", interval="1m", value="duration_ms"),
            "servicelevel/source",
            "remove value",
        ),
        (threshold(aggregate="p99", interval="1m"), "servicelevel/source", "value: duration_ms"),
        (threshold(aggregate="p99", value="duration_ms"), "servicelevel/source", "both, or none"),
        (
            threshold(aggregate="p100", interval="1m", value="duration_ms"),
            "servicelevel/aggregate",
            "write p99",
        ),
        (
            threshold(aggregate="p0", interval="1m", value="duration_ms"),
            "servicelevel/aggregate",
            "write p99",
        ),
        (
            threshold(aggregate="p0.000", interval="1m", value="duration_ms"),
            "servicelevel/aggregate",
            "write p99",
        ),
        (
            threshold(aggregate="mean", interval="1m", value="duration_ms"),
            "servicelevel/aggregate",
            "throughput",
        ),
        (ratio(good=source(noData="good")), "servicelevel/disagree", "noData"),
        (ratio(good=source(noData="maybe")), "openslo/choice", "ignore"),
        (ratio(good=source(maxGroups=5)), "servicelevel/groups", "groupBy"),
        (ratio(good=source(groupBy=["operation"], maxGroups=0)), "servicelevel/groups", "1000"),
        (
            ratio(good=source(groupBy=["operation"], maxGroups=100_001)),
            "servicelevel/groups",
            "100000",
        ),
        (ratio(good=source(groupBy=["operation"], maxGroups="5")), "openslo/type", "without"),
        (ratio(good=source(groupBy=["operation"], groupTtl="0d")), "openslo/duration", "longer"),
    ],
)
def test_refuses_an_indicator(load: Load, indicator: dict[str, Any], rule: str, says: str) -> None:
    is_threshold = "thresholdMetric" in indicator["spec"]
    limit = {"op": "lte", "value": 300} if is_threshold else {}
    loaded = load(slo(indicator=indicator, objectives=[{"target": 0.9, **limit}]))
    (finding,) = [f for f in loaded.findings if f.severity == "error"]
    assert finding.rule == rule
    assert says in finding.message
    assert loaded.catalogue.slos == {}


def test_refuses_an_interval_longer_than_the_window(load: Load) -> None:
    loaded = load(
        slo(
            indicator=threshold(aggregate="throughput", interval="15m"),
            objectives=[{"target": 0.9, "op": "gte", "value": 1}],
            timeWindow=[{"duration": "5m", "isRolling": True}],
        )
    )
    assert "servicelevel/interval" in [f.rule for f in loaded.findings]


def test_a_broken_where_is_found_at_its_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "sli.yaml"
    file.write_text(
        "apiVersion: openslo/v1\n"
        "kind: SLI\n"
        "metadata: {name: sli}\n"
        "spec:\n"
        "  ratioMetric:\n"
        "    good:\n"
        "      metricSource:\n"
        "        type: servicelevel\n"
        "        spec:\n"
        "          where: |\n"
        "            first\n"
        "            second\n"
        "    total: {metricSource: {type: servicelevel, spec: {where: 'x'}}}\n"
    )

    def check(text: str, event: EventKind) -> None:
        assert event == "request"
        raise CelError("is odd", line=text.count("\n") + 1, column=3)

    loaded = load_definitions([file], check=check)
    assert [str(f) for f in loaded.findings] == [
        f"{file}:12:15: error: `where`: is odd [servicelevel/where]",
        f"{file}:13:65: error: `where`: is odd [servicelevel/where]",
    ]


# Objectives and windows


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


# Alerting


def test_default_rules_are_those_of_the_workbook(load: Load) -> None:
    (objective,) = only(load(slo())).objectives
    assert [(r.name, factor(r), r.severity) for r in objective.rules] == [
        ("1h/5m", Fraction(144, 10), Severity.PAGE),
        ("6h/30m", Fraction(6), Severity.PAGE),
        ("1d/2h", Fraction(3), Severity.TICKET),
        ("3d/6h", Fraction(1), Severity.TICKET),
    ]
    assert objective.rules[0].windows_ms == (HOUR, HOUR // 12)


def test_default_rules_that_cannot_fire_are_left_out(load: Load) -> None:
    loaded = load(slo(objectives=[{"target": 0.9}]))
    assert [r.name for r in loaded.catalogue.slos["availability"].objectives[0].rules] == [
        "6h/30m",
        "1d/2h",
        "3d/6h",
    ]
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/never-fires", "warning")
    assert "14.4 * (1 - 0.9) = 1.44" in finding.message


def test_a_window_below_all_default_rules_is_pointed_out(load: Load) -> None:
    loaded = load(slo(timeWindow=[{"duration": "30m", "isRolling": True}]))
    assert rules_of(loaded.findings) == ["servicelevel/no-rules"]
    assert "write alertPolicies" in loaded.findings[0].message


@pytest.mark.parametrize(
    ("condition", "name", "short_ms"),
    [
        ({"lookbackWindow": "1h"}, "1h/5m", 300_000),
        ({"lookbackWindow": "1m"}, "1m/10s", 10_000),
        ({"lookbackWindow": "7m"}, "7m/40s", 40_000),
        ({"lookbackWindow": "5m"}, "5m/30s", 30_000),
        ({"lookbackWindow": "3d"}, "3d/6h", 6 * HOUR),
    ],
)
def test_the_short_window_is_a_twelfth_in_whole_panes(
    load: Load, condition: dict[str, Any], name: str, short_ms: int
) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(**condition)]))).objectives
    (rule,) = objective.rules
    assert (rule.name, rule.windows_ms[-1], factor(rule)) == (name, short_ms, Fraction(72, 5))


@pytest.mark.parametrize(
    ("word", "severity"),
    [("Critical", Severity.PAGE), ("high", Severity.PAGE), ("warning", Severity.TICKET),
     ("medium", Severity.TICKET), ("low", Severity.INFO)],
)  # fmt: skip
def test_severities_have_many_names(load: Load, word: str, severity: Severity) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(severity=word)]))).objectives
    assert objective.rules[0].severity is severity


def test_a_severity_is_shown_in_short(load: Load) -> None:
    (finding,) = load(slo(alertPolicies=[policy(severity="x" * 5_000)])).unsupported
    assert finding.rule == "unsupported/severity"
    assert len(finding.message) < 200


def test_rules_of_the_same_windows_keep_apart(load: Load) -> None:
    policies = [policy(severity="ticket", threshold=6), policy()]
    (objective,) = only(load(slo(alertPolicies=policies))).objectives
    assert [r.name for r in objective.rules] == ["1h/5m", "1h/5m@6"]


def test_a_threshold_that_can_never_fire_is_an_error_with_its_arithmetic(load: Load) -> None:
    loaded = load(slo(objectives=[{"target": 0.9}], alertPolicies=[policy()]))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/never-fires", "error")
    assert "14.4 * (1 - 0.9) = 1.44" in finding.message
    assert "below 10" in finding.message
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (policy(op="gte"), "unsupported/op"),
        (policy(policy={"notificationTargets": [{"targetRef": "nobody"}]}),
         "reference/unresolved"),
    ],
)  # fmt: skip
def test_what_a_policy_wants_besides_is_pointed_out(
    load: Load, entry: dict[str, Any], rule: str
) -> None:
    loaded = load(slo(alertPolicies=[entry]))
    assert [(f.rule, f.severity) for f in loaded.unsupported] == [(rule, "warning")]
    assert len(loaded.catalogue.slos["availability"].objectives[0].rules) == 1
    assert loaded.is_complete


def test_a_policy_that_does_not_alert_when_breaching_has_no_rule(load: Load) -> None:
    loaded = load(slo(alertPolicies=[policy(policy={"alertWhenBreaching": False})]))
    assert rules_of(loaded.findings) == ["servicelevel/silent"]
    assert loaded.catalogue.slos["availability"].objectives[0].rules == ()


def test_alert_after_delays_the_rule(load: Load) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(alertAfter="5m")]))).objectives
    assert [(r.name, r.after_ms) for r in objective.rules] == [("1h/5m", 300_000)]


@pytest.mark.parametrize(
    ("wishes", "names"),
    [
        ({"alertWhenNoData": True}, ["1h/5m", "no-data 1h"]),
        ({"alertWhenNoData": True, "alertWhenBreaching": True}, ["1h/5m", "no-data 1h"]),
        ({"alertWhenNoData": True, "alertWhenBreaching": False}, ["no-data 1h"]),
    ],
)
def test_no_data_for_the_lookback_window(
    load: Load, wishes: dict[str, Any], names: list[str]
) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(policy=wishes)]))).objectives
    assert [r.name for r in objective.rules] == names
    assert objective.rules[-1].condition == NoData(HOUR)
    assert objective.rules[-1].severity is Severity.PAGE


# Files and modes


def test_lenient_accepts_what_openslo_examples_do(load: Load) -> None:
    document = slo(description=None, objectives=[{"op": "lte", "value": 1, "target": 0.999}])
    document["spec"]["indicator"] |= {"apiVersion": "openslo/v1", "kind": "SLI"}
    strict = load(document)
    assert set(rules_of(strict.findings)) == {"openslo/empty", "openslo/unknown-field"}
    loaded = load(document, lenient=True)
    assert [(f.rule, f.severity) for f in loaded.findings] == [("openslo/threshold", "warning")]
    assert "availability" in loaded.catalogue.slos


def test_op_and_value_with_a_ratio_are_an_error(load: Load) -> None:
    loaded = load(slo(objectives=[{"op": "lte", "value": 1, "target": 0.999}]))
    assert rules_of(loaded.findings) == ["openslo/threshold"]
    assert loaded.catalogue.slos == {}


def test_a_missing_time_window_is_valid_only_when_lenient(load: Load) -> None:
    document = slo()
    del document["spec"]["timeWindow"]
    assert rules_of(load(document).findings) == ["openslo/time-window"]
    loaded = load(document, lenient=True)
    assert loaded.findings == []
    assert rules_of(loaded.unsupported) == ["unsupported/time-window"]


def test_files_folders_and_lists(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "two.yml").write_text(yaml.safe_dump([slo("two"), slo("three")]))
    (folder / "notes.txt").write_text("not: [yaml")
    hidden = tmp_path / "b" / "..2026"
    hidden.mkdir()
    (hidden / "two.yml").write_text(yaml.safe_dump(slo("two")))
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(slo("one")))
    loaded = load_definitions([tmp_path, folder / "two.yml", tmp_path / "one.yaml"])
    assert loaded.findings == []
    assert list(loaded.catalogue.slos) == ["two", "three", "one"]


def test_two_of_a_name_are_valid_and_cannot_be_evaluated(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(slo("same")))
    loaded = load_definitions([tmp_path])
    (finding,) = loaded.unsupported
    assert (finding.file.name, finding.rule) == ("b.yaml", "reference/duplicate-name")
    assert "a.yaml" in finding.message
    assert list(loaded.catalogue.slos) == ["same"]
    assert loaded.is_valid
    assert not loaded.is_complete


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=r"nowhere\.yaml: cannot be read"):
        load_definitions([tmp_path / "nowhere.yaml"])


def test_an_empty_folder_is_pointed_out(tmp_path: Path) -> None:
    assert rules_of(load_definitions([tmp_path]).findings) == ["file/none"]


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nb: \xe9\n")
    (finding,) = load_definitions([file]).findings
    assert (finding.line, finding.column, finding.rule) == (2, 4, "file/encoding")


def test_a_service_of_no_document_is_pointed_out(load: Load) -> None:
    service = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": "chekout"},
        "spec": {},
    }
    loaded = load(service, slo())
    assert [(f.rule, f.severity) for f in loaded.findings] == [("reference/service", "warning")]


def test_the_shop_example_is_complete() -> None:
    folder = Path(__file__).parents[3] / "golden" / "definitions"
    loaded = load_definitions([folder])
    assert loaded.findings == []
    assert loaded.unsupported == []
    assert loaded.is_complete
    assert {n: s.digest for n, s in loaded.catalogue.slos.items()} == {
        "checkout-availability": "f7fecdfc87692ada",
        "checkout-error-rate": "fedaef3c6132e4c4",
        "checkout-latency": "99a5db5628fbf002",
        "catalogue-throughput": "82eb1b2987b4cd85",
        "checkout-uptime": "dfef0b0e0a24f1de",
        "search-evenly": "cdfb57bb11ad73f2",
        "search-p99": "f80cb951f2b3fc3a",
        "shopping": "4f7966115f279e1f",
    }
