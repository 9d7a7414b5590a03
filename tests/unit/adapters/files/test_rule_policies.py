"""Our own alert policies: what may be written, and the rules that come of it."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.model import Objective
from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Condition,
    Exhaustion,
    LowTraffic,
    NoData,
)
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.definitions import policy, rolling, rules, slo
from tests.builders.loaded import only, rules_of

Load = Callable[..., Loaded]
OURS = [{"alertPolicyRef": "ours"}]
BURN = {"burnRate": {"over": "1h", "above": 14.4}}
LONG = BurnRate(HOUR_MS, Fraction(72, 5))


@pytest.fixture
def ruled(load: Load) -> Callable[..., Objective]:
    """The objective of an SLO with these rules."""

    def read(*written: dict[str, Any], **spec: Any) -> Objective:
        found = only(load(rules(*written), slo(alertPolicies=OURS, **spec)))
        objective: Objective = found.objectives[0]
        return objective

    return read


Ruled = Callable[..., Objective]


@pytest.mark.parametrize(
    ("when", "condition", "name"),
    [
        (BURN, LONG, "1h"),
        (
            {"burnRate": {"over": ["5m", "1h"], "above": 14.4}},
            All((LONG, BurnRate(5 * MINUTE_MS, Fraction(72, 5)))),
            "1h/5m",
        ),
        (
            {"burnRate": {"over": "30s", "above": 2, "weighted": True}},
            BurnRate(30_000, Fraction(2), weighted=True),
            "30s weighted",
        ),
        ({"budgetSpent": {"above": 0.75}}, BudgetSpent(Fraction(3, 4)), "budget>75%"),
        ({"budgetSpent": {"above": 0.999}}, BudgetSpent(Fraction(999, 1000)), "budget>99.9%"),
        (
            {"exhaustion": {"within": "3d", "over": "6h"}},
            Exhaustion(3 * DAY_MS, 6 * HOUR_MS, 1.95996398454),
            "exhaustion 3d",
        ),
        (
            {"exhaustion": {"within": "3d", "over": "6h", "confidence": 0.99}},
            Exhaustion(3 * DAY_MS, 6 * HOUR_MS, 2.575829303549),
            "exhaustion 3d",
        ),
        ({"noData": {"for": "10m"}}, NoData(10 * MINUTE_MS), "no-data 10m"),
        (
            {"all": [BURN, {"any": [{"budgetSpent": {"above": 0.5}}, {"noData": {"for": "1h"}}]}]},
            All((LONG, AnyOf((BudgetSpent(Fraction(1, 2)), NoData(HOUR_MS))))),
            "1h & (budget>50% | no-data 1h)",
        ),
    ],
)
def test_conditions(ruled: Ruled, when: dict[str, Any], condition: Condition, name: str) -> None:
    (rule,) = ruled({"when": when}).rules
    assert (rule.condition, rule.name, rule.severity) == (condition, name, Severity.PAGE)
    assert rule.is_plain
    assert rule.low_traffic is None


def test_all_of_a_rule(ruled: Ruled) -> None:
    (rule,) = ruled(
        {
            "name": "fast",
            "severity": "page",
            "when": BURN,
            "alertAfter": "2m",
            "resolve": {"ratio": 0.8, "after": "10m"},
            "lowTraffic": {"minEvents": 100, "minFailures": 5, "severity": "ticket"},
        }
    ).rules
    assert rule.name == "fast"
    assert (rule.after_ms, rule.clear_ratio, rule.clear_after_ms) == (
        2 * MINUTE_MS,
        Fraction(4, 5),
        10 * MINUTE_MS,
    )
    assert rule.low_traffic == LowTraffic(100, 5, Severity.TICKET)


def test_rules_are_in_order_and_have_names_of_their_own(ruled: Ruled) -> None:
    found = ruled(
        {"severity": "info", "when": {"noData": {"for": "10m"}}},
        {"severity": "ticket", "when": {"budgetSpent": {"above": 0.75}}},
        {"severity": "page", "when": {"budgetSpent": {"above": 0.75}}},
        {"severity": "ticket", "when": {"burnRate": {"over": "1h", "above": 2}}},
        {"severity": "page", "when": BURN},
        {"severity": "page", "when": {"any": [BURN] * 8}},
    ).rules
    assert [(r.name, r.severity.value) for r in found] == [
        ("1h", "page"),
        ("1h | 1h | 1h | 1h | 1h | 1h | 1h | 1h", "page"),
        ("budget>75%", "page"),
        ("1h@2", "ticket"),
        ("budget>75%-2", "ticket"),
        ("no-data 10m", "info"),
    ]


def test_a_name_too_long_to_read_is_a_number(ruled: Ruled) -> None:
    spent = [{"budgetSpent": {"above": n / 100}} for n in range(1, 9)]
    (rule,) = ruled({"when": {"any": spent}}).rules
    assert rule.name == "rule-1"


def test_policies_of_both_kinds_go_together(load: Load) -> None:
    document = slo(alertPolicies=[*OURS, policy(severity="ticket")])
    (objective,) = only(load(rules({"when": BURN}), document)).objectives
    assert [r.name for r in objective.rules] == ["1h", "1h/5m"]


def test_one_name_in_both_versions_is_a_duplicate(load: Load) -> None:
    theirs = {"apiVersion": "openslo/v1", **policy()}
    theirs["metadata"] = {"name": "ours"}
    loaded = load(rules({"when": BURN}), theirs, slo(alertPolicies=OURS))
    assert rules_of(loaded.unsupported) == ["reference/duplicate-name"]
    assert loaded.is_valid


@pytest.mark.parametrize(
    ("rule", "code", "says"),
    [
        ({"when": {}}, "openslo/one-of", "burnRate or budgetSpent"),
        ({"when": {**BURN, "noData": {"for": "1h"}}}, "openslo/one-of", "together"),
        ({"when": {"burnrate": {}}}, "openslo/unknown-field", "write `burnRate`"),
        ({"when": {"all": []}}, "openslo/length", "add one"),
        ({"when": {"any": [BURN] * 9}}, "openslo/length", "at most 8"),
        ({"when": {"burnRate": {"over": [], "above": 2}}}, "openslo/length", "add one"),
        ({"when": {"burnRate": {"over": ["1h", "60m"], "above": 2}}}, "servicelevel/windows",
         "twice"),
        ({"when": {"burnRate": {"over": "1 h", "above": 2}}}, "openslo/duration", "write 5m"),
        ({"when": {"burnRate": {"over": "1h", "above": 0}}}, "servicelevel/above", "14.4"),
        ({"when": {"burnRate": {"over": "1h", "above": "2"}}}, "openslo/type", "without quotes"),
        ({"when": {"burnRate": {"over": "1h"}}}, "openslo/required", "add it"),
        ({"when": {"budgetSpent": {"above": 75}}}, "servicelevel/above", "write 0.75"),
        ({"when": {"exhaustion": {"within": "1d", "over": "1h", "confidence": 1}}},
         "servicelevel/confidence", "0.95"),
        ({"when": {"noData": {"for": "0m"}}}, "openslo/duration", "longer than zero"),
        ({"when": {"all": [{"all": [{"all": [{"all": [BURN]}]}]}]}}, "servicelevel/condition",
         "4 levels"),
        ({"when": {"all": [{"any": [BURN] * 8}] * 3}}, "servicelevel/condition", "16 conditions"),
        ({"when": BURN, "severity": "critical"}, "openslo/choice", "page"),
        ({"when": BURN, "name": "1h/5m"}, "openslo/name", "DNS label"),
        ({"when": BURN, "name": "fast\n"}, "openslo/name", "DNS label"),
        ({"when": BURN, "resolve": {}}, "servicelevel/resolve", "ratio: 0.8"),
        ({"when": BURN, "resolve": {"ratio": 1.1}}, "servicelevel/resolve", "at most 1"),
        ({"when": {"noData": {"for": "1h"}}, "resolve": {"ratio": 0.5}}, "servicelevel/resolve",
         "write after alone"),
        ({"when": BURN, "lowTraffic": {}}, "servicelevel/low-traffic", "minEvents: 100"),
        ({"when": BURN, "lowTraffic": {"minEvents": 0}}, "servicelevel/low-traffic", "at least 1"),
        ({"when": BURN, "lowTraffic": {"minEvents": 1.5}}, "openslo/type", "number"),
        ({"when": BURN, "lowTraffic": {"minEvents": 5, "severity": "page"}},
         "servicelevel/low-traffic", "quieter"),
        ({"when": {"budgetSpent": {"above": 0.5}}, "lowTraffic": {"minEvents": 5}},
         "servicelevel/low-traffic", "burnRate or exhaustion"),
        ({"when": BURN, "alertAfter": 5}, "openslo/duration", "5m"),
    ],
)  # fmt: skip
def test_refuses_a_rule(load: Load, rule: dict[str, Any], code: str, says: str) -> None:
    loaded = load(rules(rule))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == (code, "error")
    assert says in finding.message


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (rules(), "openslo/length"),
        (rules(*[{"when": BURN}] * 33), "openslo/length"),
        (rules({"when": BURN, "name": "a"}, {"when": BURN, "name": "a"}), "servicelevel/rule-name"),
    ],
)
def test_refuses_a_policy(load: Load, document: dict[str, Any], code: str) -> None:
    assert rules_of(load(document).findings) == [code]


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ({"burnRate": {"over": ["1h", "31d"], "above": 2}}, "31d is longer"),
        ({"burnRate": {"over": "15s", "above": 2}}, "15s is no multiple of the pane 10s"),
        ({"burnRate": {"over": "5s", "above": 2}}, "5s is no multiple of the pane 10s"),
        ({"any": [BURN, {"exhaustion": {"within": "1d", "over": "31d"}}]}, "31d is longer"),
        ({"all": [BURN, {"exhaustion": {"within": "60d", "over": "1d"}}]}, "60d is longer"),
        ({"noData": {"for": "31d"}}, "write at most 30d"),
    ],
)
def test_windows_that_cannot_be_looked_at(load: Load, when: dict[str, Any], says: str) -> None:
    loaded = load(rules({"when": when}), slo(alertPolicies=OURS))
    assert loaded.findings == []
    (finding,) = loaded.unsupported
    assert (finding.rule, finding.severity) == ("unsupported/window", "error")
    assert says in finding.message
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize(
    "when",
    [
        {"burnRate": {"over": ["1h", "5m"], "above": 10}},
        {"any": [{"noData": {"for": "1h"}}, {"burnRate": {"over": "1h", "above": 10}}]},
        {"all": [{"burnRate": {"over": "1h", "above": 2}}, {"budgetSpent": {"above": 10}}]},
    ],
)
def test_what_can_never_fire_is_an_error_with_its_arithmetic(
    load: Load, when: dict[str, Any]
) -> None:
    loaded = load(rules({"when": when}), slo(alertPolicies=OURS, objectives=[{"target": 0.9}]))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == ("servicelevel/never-fires", "error")
    assert "10 * (1 - 0.9) = 1, not below 1" in finding.message
    assert "write a number below 10" in finding.message
    assert loaded.catalogue.slos == {}


def test_a_weighted_burn_rate_has_no_greatest_value(ruled: Ruled) -> None:
    when = {"burnRate": {"over": "1h", "above": 20, "weighted": True}}
    assert len(ruled({"when": when}, objectives=[{"target": 0.9}]).rules) == 1


def test_a_window_shorter_than_a_slice(load: Load) -> None:
    objectives = [{"target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": "15m"}]
    document = slo(alertPolicies=OURS, budgetingMethod="Timeslices", objectives=objectives)
    loaded = load(rules({"when": {"burnRate": {"over": ["1h", "5m"], "above": 2}}}), document)
    (finding,) = loaded.unsupported
    assert finding.message == "5m is shorter than a slice: write at least 15m"
    assert loaded.catalogue.slos == {}


def test_a_condition_of_openslo_has_its_short_window_in_whole_slices(load: Load) -> None:
    objectives = [{"target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": "15m"}]
    document = slo(alertPolicies=[policy()], budgetingMethod="Timeslices", objectives=objectives)
    (objective,) = only(load(document)).objectives
    assert [r.name for r in objective.rules] == ["1h/15m"]


def test_the_rules_of_an_objective_are_bounded(load: Load) -> None:
    policies = [rules(*[{"when": BURN}] * 32, name=f"p{n}") for n in range(3)]
    entries = [{"alertPolicyRef": f"p{n}"} for n in range(3)]
    loaded = load(*policies, slo(alertPolicies=entries))
    (finding,) = loaded.unsupported
    assert finding.rule == "unsupported/rules"
    assert "96 rules" in finding.message


def test_the_place_of_a_leaf_is_told(load: Load) -> None:
    text = """\
apiVersion: servicelevel/v1
kind: AlertPolicy
metadata: {name: ours}
spec:
  rules:
    - severity: page
      when:
        any:
          - {noData: {for: 1h}}
          - burnRate:
              over: [5m, 8d]
              above: 200
"""
    loaded = load(text, slo(alertPolicies=OURS, timeWindow=rolling("7d")))
    assert [(f.line, f.column) for f in loaded.unsupported] == [(11, 26)]
    loaded = load(text, slo(alertPolicies=OURS, objectives=[{"target": 0.99}]))
    assert [(f.line, f.column) for f in loaded.findings] == [(12, 22)]
