"""Objectives that are judged by slice: Timeslices, RatioTimeslices, throughput, percentiles."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil
from operator import ge, gt, le, lt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.adapters.files.definitions import Loaded
from servicelevel.adapters.files.objectives import _intervals
from servicelevel.adapters.files.source_forms import Percentile
from servicelevel.domain.slices import RateSlices, RatioSlices, TimeSlices
from servicelevel.domain.time import MINUTE_MS
from servicelevel.schemas.openslo.objective import ObjectiveSpec
from servicelevel.schemas.openslo.source import ServicelevelSource
from tests.builders.definitions import ratio, rolling, slo, source, threshold
from tests.builders.loaded import only, rules_of

Load = Callable[..., Loaded]
OPERATORS = {"lte": le, "lt": lt, "gte": ge, "gt": gt}


def sliced(method: str = "Timeslices", **objective: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"target": 0.99, "timeSliceWindow": "5m"}
    if method == "Timeslices":
        base["timeSliceTarget"] = 0.95
    return slo(budgetingMethod=method, objectives=[base | objective])


def test_time_slices(load: Load) -> None:
    (objective,) = only(load(sliced())).objectives
    assert objective.slices == TimeSlices(5 * MINUTE_MS, Fraction(19, 20))
    assert objective.target == Fraction(99, 100)
    assert objective.indicator.slice_ms == 5 * MINUTE_MS
    assert objective.indicator.good == "status_code < 500"


def test_ratio_slices(load: Load) -> None:
    (objective,) = only(load(sliced("RatioTimeslices"))).objectives
    assert objective.slices == RatioSlices(5 * MINUTE_MS)


def test_slices_of_a_threshold(load: Load) -> None:
    document = sliced(op="lte", value=300)
    document["spec"]["indicator"] = threshold(value="duration_ms")
    (objective,) = only(load(document)).objectives
    assert objective.slices == TimeSlices(5 * MINUTE_MS, Fraction(19, 20))
    assert objective.indicator.good == "duration_ms <= 300.0"


@pytest.mark.parametrize(
    ("length", "merged_min"),
    [("1m", 1), ("3m", 3), ("15m", 15), ("30m", 15), ("45m", 15), ("1h", 15), ("1d", 15)],
)
def test_panes_are_merged_up_to_what_divides_slices(
    load: Load, length: str, merged_min: int
) -> None:
    (objective,) = only(load(sliced(timeSliceWindow=length))).objectives
    assert objective.indicator.slice_ms == merged_min * MINUTE_MS


def test_objectives_of_different_slices_have_different_indicators(load: Load) -> None:
    lengths = ["5m", "1m", "30m", "15m"]
    objectives = [
        {"target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": length} for length in lengths
    ]
    found = only(load(slo(budgetingMethod="Timeslices", objectives=objectives))).objectives
    assert len({o.indicator.id for o in found}) == 3
    assert found[2].indicator.id == found[3].indicator.id


@pytest.mark.parametrize(
    ("length", "says"),
    [("2m", "1m, 3m, 5m"), ("20m", "30m"), ("7m", "15 minutes"), ("100m", "1h"), ("31d", "30d")],
)
def test_slices_that_are_not_counted_exactly(load: Load, length: str, says: str) -> None:
    loaded = load(sliced(timeSliceWindow=length))
    assert loaded.findings == []
    (finding,) = loaded.unsupported
    assert (finding.rule, finding.severity) == ("unsupported/slices", "error")
    assert says in finding.message
    assert loaded.catalogue.slos == {}


def test_what_is_judged_by_interval_is_not_sliced_again(load: Load) -> None:
    document = sliced(op="gte", value=1)
    document["spec"]["indicator"] = threshold(aggregate="throughput", interval="1m")
    loaded = load(document)
    assert rules_of(loaded.unsupported) == ["unsupported/method"]
    assert "budgetingMethod: Occurrences" in loaded.unsupported[0].message


def test_throughput_keeps_its_counts_when_the_promise_changes(load: Load) -> None:
    objectives = [
        {"target": 0.95, "op": "gte", "value": 100},
        {"target": 0.99, "op": "gt", "value": 5},
    ]
    indicator = threshold(aggregate="throughput", interval="1h")
    found = only(load(slo(indicator=indicator, objectives=objectives))).objectives
    assert [o.slices for o in found] == [
        RateSlices(60 * MINUTE_MS, "gte", Fraction(100)),
        RateSlices(60 * MINUTE_MS, "gt", Fraction(5)),
    ]
    assert found[0].indicator == found[1].indicator
    assert found[0].indicator.slice_ms == 15 * MINUTE_MS


@pytest.mark.parametrize(
    ("aggregate", "op", "share", "strict", "good"),
    [
        ("p99", "lte", Fraction(99, 100), False, "duration_ms <= 300.0"),
        ("p99", "lt", Fraction(99, 100), False, "duration_ms < 300.0"),
        ("p99.9", "gte", Fraction(1, 1000), True, "duration_ms >= 300.0"),
        ("p50", "gt", Fraction(1, 2), True, "duration_ms > 300.0"),
    ],
)
def test_percentiles(
    load: Load, aggregate: str, op: str, share: Fraction, strict: bool, good: str
) -> None:
    indicator = threshold(value="duration_ms", aggregate=aggregate, interval="1m", noData="good")
    objectives = [{"op": op, "value": 300, "target": 0.95}]
    (objective,) = only(load(slo(indicator=indicator, objectives=objectives))).objectives
    assert objective.slices == TimeSlices(MINUTE_MS, share, strict)
    assert objective.percentile == Fraction(aggregate[1:]) / 100
    assert objective.no_data == "good"
    assert objective.target == Fraction(95, 100)
    assert (objective.indicator.good, objective.indicator.sketch) == (good, "duration_ms")


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.sampled_from([1, 10, 25, 50, 75, 90, 95, 99]),
    st.integers(0, 6),
    st.sampled_from(sorted(OPERATORS)),
)
def test_counting_judges_a_percentile_exactly(
    values: list[int], percent: int, limit: int, op: str
) -> None:
    ordered = sorted(values)
    quantile = ordered[ceil(Fraction(percent, 100) * len(values)) - 1]  # the inverted distribution
    share = Fraction(percent, 100)
    form = Percentile(ServicelevelSource(), "duration_ms", share, MINUTE_MS)
    written = ObjectiveSpec.model_validate({"op": op, "value": limit, "target": 0})
    compare = OPERATORS[op]
    good = sum(compare(value, limit) for value in values)
    judged = _intervals(form, written).judge((good, len(values)))
    assert judged == (int(compare(quantile, limit)), 1)


def test_limits_of_groups_are_not_part_of_what_is_counted(load: Load) -> None:
    def grouped(name: str, **limits: Any) -> dict[str, Any]:
        spec = {"groupBy": ["operation"]} | limits
        good = source(where="status_code < 500", **spec)
        return slo(name, indicator=ratio(good=good, total=source(**spec)))

    loaded = load(grouped("a", maxGroups=5, groupTtl="7d", noData="bad"), grouped("b"))
    few, many = (loaded.catalogue.slos[name].objectives[0] for name in "ab")
    assert (few.indicator.max_groups, few.indicator.group_ttl_ms) == (5, 7 * 86_400_000)
    assert (many.indicator.max_groups, many.indicator.group_ttl_ms) == (1_000, None)
    assert (few.no_data, many.no_data) == ("bad", "ignore")
    assert few.indicator.id == many.indicator.id
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/groups", "warning")


# Composites


def composite(*parts: dict[str, Any], **spec: Any) -> dict[str, Any]:
    document = slo("both", objectives=list(parts), **spec)
    del document["spec"]["indicator"]
    return document


GOOD = ratio(good=source(where="status_code < 500"))
FAST = ratio(good=source(where="duration_ms < 300.0"))


def test_a_composite_is_the_weighted_mean_of_its_objectives(load: Load) -> None:
    document = composite(
        {"displayName": "Answers", "target": 0.999, "compositeWeight": 3, "indicator": GOOD},
        {"displayName": "Composite", "target": 0.9, "indicator": FAST},
    )
    found = only(load(document))
    assert found.composite is not None
    assert found.composite.name == "composite"
    assert found.composite.weights == (3, 1)
    assert found.composite.target == Fraction(3897, 4000)
    assert [r.name for r in found.composite.rules] == ["1h/5m", "6h/30m", "1d/2h", "3d/6h"]
    assert [(o.name, o.rules) for o in found.objectives] == [("answers", ()), ("composite-2", ())]


def test_an_objective_of_no_composite_may_be_called_so(load: Load) -> None:
    found = only(load(slo(objectives=[{"displayName": "composite", "target": 0.99}])))
    assert [o.name for o in found.objectives] == ["composite"]
    assert found.composite is None


def test_the_parts_of_a_composite_have_the_same_groups(load: Load) -> None:
    spec = {"groupBy": ["operation"]}
    grouped = ratio(good=source(where="status_code < 500", **spec), total=source(**spec))
    loaded = load(
        composite({"target": 0.9, "indicator": GOOD}, {"target": 0.9, "indicator": grouped})
    )
    (finding,) = loaded.unsupported
    assert (finding.rule, finding.severity) == ("unsupported/composite", "error")
    assert "has operation, the first none" in finding.message


def test_the_rules_of_a_composite_fit_its_coarsest_part(load: Load) -> None:
    parts = [
        {"target": 0.99, "timeSliceWindow": length, "indicator": GOOD} for length in ("5m", "1h")
    ]
    document = composite(*parts, budgetingMethod="RatioTimeslices", timeWindow=rolling("7d"))
    found = only(load(document))
    assert found.composite is not None
    assert [r.name for r in found.composite.rules] == ["1h/1h", "6h/1h", "1d/2h", "3d/6h"]
