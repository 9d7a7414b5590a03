"""Alert policies of our own kind, as rules."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.forecast import Z_95
from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Exhaustion,
    LowTraffic,
    NoData,
    Rule,
)
from servicelevel.domain.severity import Severity
from tests.builders.definitions import burn, only, policy, rules_of, rules_policy, slo

Load = Callable[..., Loaded]
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NAMED = [{"alertPolicyRef": "policy"}]


def rule(when: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"severity": "page", "when": burn() if when is None else when} | more


def rules(load: Load, *written: dict[str, Any], **spec: Any) -> tuple[Rule, ...]:
    document = slo(alertPolicies=NAMED, **spec)
    found: tuple[Rule, ...] = only(load(rules_policy(*written), document)).objectives[0].rules
    return found


SPENT = {"budgetSpent": {"above": 0.9}}
FORECAST = {"exhaustion": {"within": "3d", "over": "6h"}}
SILENT = {"noData": {"for": "10m"}}
LONG, SHORT = BurnRate(HOUR, Fraction(72, 5)), BurnRate(5 * MINUTE, Fraction(72, 5))


@pytest.mark.parametrize(
    ("when", "name", "condition"),
    [
        (burn("1h"), "1h", LONG),
        (burn(["1h", "5m"]), "1h/5m", All((LONG, SHORT))),
        (burn(weighted=True), "1h", BurnRate(HOUR, Fraction(72, 5), weighted=True)),
        (SPENT, "budget above 90 %", BudgetSpent(Fraction(9, 10))),
        (FORECAST, "exhausted within 3d", Exhaustion(3 * DAY, 6 * HOUR, Z_95)),
        (SILENT, "no data for 10m", NoData(10 * MINUTE)),
        ({"all": [burn("1h"), burn("5m")]}, "1h/5m", All((LONG, SHORT))),
        ({"any": [burn("1h"), SILENT]}, "1h above 14.4 or no data for 10m",
         AnyOf((LONG, NoData(10 * MINUTE)))),
        ({"all": [SPENT, {"any": [burn("1h"), burn("5m")]}]},
         "budget above 90 % and 1h above 14.4 and 5m above 14.4",
         All((BudgetSpent(Fraction(9, 10)), AnyOf((LONG, SHORT))))),
    ],
)  # fmt: skip
def test_conditions(load: Load, when: dict[str, Any], name: str, condition: object) -> None:
    (found,) = rules(load, rule(when))
    assert found == Rule(name, condition, Severity.PAGE)  # type: ignore[arg-type]  # by cases


@pytest.mark.parametrize(
    ("confidence", "z"), [(0.8, 1.2815516), (0.9, 1.6448536), (0.95, Z_95), (0.99, 2.5758293)]
)
def test_confidence(load: Load, confidence: float, z: float) -> None:
    spec = {"within": "3d", "over": "6h", "confidence": confidence}
    (found,) = rules(load, rule({"exhaustion": spec}))
    assert isinstance(found.condition, Exhaustion)
    assert found.condition.z == pytest.approx(z)


def test_how_a_rule_begins_and_ends(load: Load) -> None:
    written = rule(
        name="fast burn",
        severity="ticket",
        alertAfter="2m",
        resolve={"ratio": 0.8, "after": "10m"},
        lowTraffic={"minEvents": 100, "minFailures": 6, "severity": "info"},
    )
    assert rules(load, written) == (
        Rule(
            "fast burn",
            LONG,
            Severity.TICKET,
            after_ms=2 * MINUTE,
            clear_ratio=Fraction(4, 5),
            clear_after_ms=10 * MINUTE,
            low_traffic=LowTraffic(100, 6, Severity.INFO),
        ),
    )


def test_without_a_severity_few_events_do_not_alert(load: Load) -> None:
    (found,) = rules(load, rule(lowTraffic={"minEvents": 100}))
    assert found.low_traffic == LowTraffic(100, 0, None)


def test_policies_of_both_kinds_together(load: Load) -> None:
    ours = rules_policy(rule(SILENT, severity="info"), rule(burn("3d", 1), severity="ticket"))
    document = slo(alertPolicies=[policy(), *NAMED])
    (objective,) = only(load(ours, document)).objectives
    assert [(r.name, r.severity.value) for r in objective.rules] == [
        ("1h/5m", "page"),
        ("3d", "ticket"),
        ("no data for 10m", "info"),
    ]


def test_rules_of_one_name_keep_apart(load: Load) -> None:
    written = [rule(SPENT), rule(SPENT, severity="ticket"), rule(burn()), rule(burn(above=6))]
    names = [found.name for found in rules(load, *written)]
    assert sorted(names) == ["1h", "1h@6", "budget above 90 %", "budget above 90 %'"]


def test_ours_is_named_and_never_written_inline(load: Load) -> None:
    inline = rules_policy(rule())
    del inline["apiVersion"]
    loaded = load(slo(alertPolicies=[inline]))
    assert not loaded.is_valid
    assert "there is no field `rules` here" in " ".join(f.message for f in loaded.findings)


def test_one_name_in_both_versions_is_a_duplicate(load: Load) -> None:
    theirs = {"apiVersion": "openslo/v1", **policy()}
    for both in ([rules_policy(rule()), theirs], [theirs, rules_policy(rule())]):
        loaded = load(*both, slo(alertPolicies=NAMED))
        assert loaded.is_valid
        assert rules_of(loaded.unsupported) == ["reference/duplicate-name"]
        assert not loaded.is_complete


@pytest.mark.parametrize("target", [0.93, 0.9305])
@pytest.mark.parametrize("when", [burn(), {"any": [burn("3d", 1), {"all": [burn(), SILENT]}]}])
def test_what_can_never_fire_is_an_error_with_its_arithmetic(
    load: Load, target: float, when: dict[str, Any]
) -> None:
    loaded = load(
        rules_policy(rule(when)), slo(alertPolicies=NAMED, objectives=[{"target": target}])
    )
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/never-fires", "error")
    product = format(float(Fraction("14.4") * (1 - Fraction(str(target)))), "g")
    assert f"14.4 * (1 - {target}) = {product}, not below 1" in finding.message
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize(
    ("when", "target"),
    [
        (burn(), 0.9306),
        (burn(above=6), 0.8334),
        (burn(above=3), 0.6667),
        (burn(above=100, weighted=True), 0.9),  # a burst has more events than the mean
        ({"budgetSpent": {"above": 1}}, 0.5),
    ],
)
def test_what_can_fire_just_so(load: Load, when: dict[str, Any], target: float) -> None:
    assert len(rules(load, rule(when), objectives=[{"target": target}])) == 1


def test_the_whole_budget_of_no_target_is_never_more_than_spent(load: Load) -> None:
    document = slo(alertPolicies=NAMED, objectives=[{"target": 0}])
    loaded = load(rules_policy(rule({"budgetSpent": {"above": 1}})), document)
    assert rules_of(loaded.findings) == ["servicelevel/never-fires"]


def sliced(length: str) -> dict[str, Any]:
    return {
        "budgetingMethod": "Timeslices",
        "objectives": [{"target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": length}],
    }


WEEK = {"timeWindow": [{"duration": "7d", "isRolling": True}]}


@pytest.mark.parametrize(
    ("when", "spec", "says"),
    [
        (burn("8d"), WEEK, "8d is longer than the SLO's window of 7d: write 7d or less"),
        (burn(["1h", "5m"]), sliced("15m"), "5m is shorter than what is judged as one: write 15m"),
        (SILENT, sliced("15m"), "10m is shorter than what is judged as one: write 15m or more"),
        ({"noData": {"for": "36d"}}, WEEK, "36d is longer than 35d, which counts are kept"),
        ({"noData": {"for": "91d"}}, {"timeWindow": [{"duration": "90d", "isRolling": True}]},
         "91d is longer than the SLO's window of 90d: write 90d or less"),
        ({"exhaustion": {"within": "1d", "over": "8d"}}, WEEK, "write 7d or less"),
        ({"exhaustion": {"within": "1d", "over": "10m"}}, sliced("15m"), "write 15m or more"),
        ({"exhaustion": {"within": "8d", "over": "1d"}}, WEEK, "write 7d or less"),
        ({"any": [burn(), {"all": [SPENT, burn("8d", 1)]}]}, WEEK, "write 7d or less"),
    ],
)  # fmt: skip
def test_windows_that_do_not_fit(
    load: Load, when: dict[str, Any], spec: dict[str, Any], says: str
) -> None:
    loaded = load(rules_policy(rule(when)), slo(alertPolicies=NAMED, **spec))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/window", "error")
    assert says in finding.message
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize("for_", ["35d", "1m"])
def test_silences_that_fit(load: Load, for_: str) -> None:
    (found,) = rules(load, rule({"noData": {"for": for_}}), **WEEK)
    assert isinstance(found.condition, NoData)
