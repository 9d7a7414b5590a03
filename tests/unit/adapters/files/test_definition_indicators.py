"""How an SLI becomes an indicator."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.domain.model import EventKind
from servicelevel.domain.slices import RateSlices, TimeSlices
from servicelevel.errors import CelError
from tests.builders.definitions import (
    correction,
    only,
    policy,
    ratio,
    rules_of,
    slo,
    source,
    threshold,
)

Load = Callable[..., Loaded]
HOUR = 3_600_000


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
        (threshold(aggregate="throughput", interval="1h"), "servicelevel/source", "15 minutes"),
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


@pytest.mark.parametrize(
    ("op", "good", "slices"),
    [
        ("lte", "duration_ms <= 300.0", TimeSlices(60_000, Fraction(99, 100))),
        ("lt", "duration_ms < 300.0", TimeSlices(60_000, Fraction(99, 100))),
        ("gte", "duration_ms >= 300.0", TimeSlices(60_000, Fraction(1, 100), strict=True)),
        ("gt", "duration_ms > 300.0", TimeSlices(60_000, Fraction(1, 100), strict=True)),
    ],
)
def test_a_percentile_is_judged_by_counting(
    load: Load, op: str, good: str, slices: TimeSlices
) -> None:
    indicator = threshold(value="duration_ms", aggregate="p99", interval="1m")
    objectives = [{"op": op, "value": 300, "target": 0.99}]
    (objective,) = only(load(slo(indicator=indicator, objectives=objectives))).objectives
    assert (objective.indicator.good, objective.slices) == (good, slices)
    assert (objective.percentile, objective.indicator.sketch) == (Fraction(99, 100), "duration_ms")


@pytest.mark.parametrize(
    ("word", "percentile"),
    [("p50", Fraction(1, 2)), ("p99.9", Fraction(999, 1000)), ("p0.5", Fraction(5, 1000))],
)
def test_percentiles_are_exact(load: Load, word: str, percentile: Fraction) -> None:
    indicator = threshold(value="duration_ms", aggregate=word, interval="1m")
    objectives = [{"op": "lte", "value": 300, "target": 0.99}]
    (objective,) = only(load(slo(indicator=indicator, objectives=objectives))).objectives
    assert objective.percentile == percentile


@pytest.mark.parametrize("word", ["p0", "p0.0", "p00", "p100", "p", "median", "p99.9999", "p99\n"])
def test_what_is_no_percentile_is_refused(load: Load, word: str) -> None:
    indicator = threshold(value="duration_ms", aggregate=word, interval="1m")
    loaded = load(slo(indicator=indicator, objectives=[{"op": "lte", "value": 3, "target": 0.9}]))
    assert rules_of(loaded.findings) == ["servicelevel/aggregate"]


def test_groups_and_silence(load: Load) -> None:
    spec = {"groupBy": ["operation"], "maxGroups": 20, "groupTtl": "1d", "noData": "bad"}
    total = source(**spec)
    indicator = ratio(good=source(where="status_code < 500", **spec), total=total)
    (objective,) = only(load(slo(indicator=indicator))).objectives
    assert (objective.indicator.max_groups, objective.indicator.group_ttl_ms) == (20, 24 * HOUR)
    assert objective.no_data == "bad"


def test_what_is_kept_and_promised_leaves_the_id_as_it_is(load: Load) -> None:
    first = only(load(slo())).objectives[0].indicator.id

    def other(**spec: Any) -> Any:
        found = source(**spec)
        return slo(indicator=ratio(good=source(where="status_code < 500", **spec), total=found))

    same: list[tuple[Any, ...]] = [
        (other(maxGroups=5),),
        (other(groupTtl="1d"),),
        (other(noData="good"),),
        (slo(objectives=[{"target": 0.5}], alertPolicies=[policy(threshold=1.5)]),),
        (slo(timeWindow=[{"duration": "1d", "isRolling": True}]),),
        (slo(), correction()),
    ]
    digests = set()
    for documents in same:
        found = only(load(*documents))
        assert found.objectives[0].indicator.id == first
        digests.add(found.digest)
    assert len(digests) == len(same)
    assert only(load(other(pane="30s"))).objectives[0].indicator.id != first


@pytest.mark.parametrize("field", ["noData", "maxGroups", "groupTtl"])
def test_good_and_total_agree_in_groups_and_silence(load: Load, field: str) -> None:
    value = {"noData": "bad", "maxGroups": 3, "groupTtl": "1d"}[field]
    loaded = load(slo(indicator=ratio(good=source(where="status_code < 500", **{field: value}))))
    (finding,) = loaded.findings
    assert finding.rule == "servicelevel/disagree"
    assert field in finding.message


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"maxGroups": 0}, "at least 1"),
        ({"maxGroups": 1_000_000}, "at most 100000"),
        ({"maxGroups": "5"}, "without quotes"),
        ({"maxGroups": 1.5}, "whole number"),
        ({"groupTtl": "0d"}, "longer than zero"),
        ({"noData": "missing"}, "'ignore', 'good' or 'bad'"),
    ],
)
def test_refuses_odd_groups_and_silence(load: Load, spec: dict[str, Any], says: str) -> None:
    (finding,) = load(slo(indicator=ratio(good=source(**spec)))).findings
    assert says in finding.message
