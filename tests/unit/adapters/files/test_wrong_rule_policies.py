"""What is wrong with alert policies of our own kind, wherever they are used."""

from collections.abc import Callable
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import Loaded
from tests.builders.definitions import burn, only, rules_of, rules_policy, slo

Load = Callable[..., Loaded]
SILENT = {"noData": {"for": "10m"}}


def rule(when: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"severity": "page", "when": burn() if when is None else when} | more


def nested(depth: int) -> dict[str, Any]:
    return burn() if depth == 1 else {"all": [nested(depth - 1)]}


def test_five_levels_are_enough(load: Load) -> None:
    document = slo(alertPolicies=[{"alertPolicyRef": "policy"}])
    (objective,) = only(load(rules_policy(rule(nested(5))), document)).objectives
    assert [found.name for found in objective.rules] == ["1h"]
    (finding,) = load(rules_policy(rule(nested(6)))).findings
    assert finding.rule == "servicelevel/rule"
    assert "nested more than 5 deep" in finding.message
    assert rules_of(load(rules_policy(rule(nested(18)))).findings) == ["servicelevel/rule"]


WRONG = [
    (rule({}), "openslo/one-of", "none of them is there"),
    (rule(burn() | SILENT), "openslo/one-of", "together"),
    (rule({"all": []}), "openslo/length", "at least 1"),
    (rule({"all": [burn()] * 11}), "openslo/length", "at most 10"),
    (rule({"any": [{"burn": {}}, burn()]}), "openslo/unknown-field", "`burn`"),
    (rule({"any": [burn(), {}]}), "openslo/one-of", "none of them is there"),
    (rule(burn(["1h"] * 5)), "openslo/length", "at most 4"),
    (rule(burn([])), "openslo/length", "at least 1"),
    (rule(burn("1x")), "openslo/duration", "`over` must be"),
    (rule(burn(["1h", "0m"])), "openslo/duration", "longer than zero"),
    (rule(burn(above=-1)), "servicelevel/rule", "at least 0"),
    (rule({"burnRate": {"over": "1h", "above": "14.4"}}), "openslo/type", "without quotes"),
    (rule({"burnRate": {"over": 60, "above": 14.4}}), "openslo/duration", "must be"),
    (rule({"budgetSpent": {"above": 0}}), "servicelevel/rule", "above 0 and at most 1"),
    (rule({"budgetSpent": {"above": 90}}), "servicelevel/rule", "above 0 and at most 1"),
    (rule({"exhaustion": {"within": "3d", "over": "6h", "confidence": 0.5}}),
     "servicelevel/rule", "0.8, 0.9, 0.95, 0.99"),
    (rule({"exhaustion": {"within": "3d", "over": "6h", "confidence": "0.95"}}),
     "openslo/type", "without quotes"),
    (rule({"noData": {"for_": "1h", "for": "1h"}}), "openslo/unknown-field", "write `for`"),
    (rule(severity="sev1"), "openslo/choice", "'info', 'ticket' or 'page'"),
    (rule(severity="Page"), "openslo/choice", "write page"),
    (rule(severity=1), "openslo/choice", "it is 1"),
    (rule(name=""), "openslo/length", "is empty"),
    (rule(name="fast\n"), "servicelevel/rule", "one line"),
    (rule(name="x" * 64), "openslo/length", "at most 63"),
    (rule(name=5), "openslo/type", '"5"'),
    (rule(alertAfter="1"), "openslo/duration", "5m"),
    (rule(resolve={"ratio": 0}), "servicelevel/rule", "0.8"),
    (rule(resolve={"ratio": 1.1}), "servicelevel/rule", "0.8"),
    (rule(lowTraffic={"severity": "info"}), "servicelevel/rule", "minEvents or minFailures"),
    (rule(lowTraffic={"minEvents": -1}), "openslo/range", "at least 0"),
    (rule(lowTraffic={"minEvents": 1.5}), "openslo/type", "whole number"),
    ({"severity": "page"}, "openslo/required", "`when` is required"),
    (rule(until="1h"), "openslo/unknown-field", "`until`"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "code", "says"), WRONG)
def test_wrong_rules(load: Load, written: dict[str, Any], code: str, says: str) -> None:
    loaded = load(rules_policy(written))
    told = [(f.rule, f.message) for f in loaded.findings if f.rule == code]
    assert told, loaded.findings
    assert says in told[-1][1]
    assert not loaded.is_valid


def test_names_of_rules_differ_within_a_policy(load: Load) -> None:
    loaded = load(rules_policy(rule(name="a"), rule(name="b"), rule(name="a", severity="info")))
    (finding,) = loaded.findings
    assert finding.rule == "servicelevel/rule"
    assert "two rules have the name a" in finding.message


def test_a_wrong_rule_is_found_at_its_line(load: Load) -> None:
    text = (
        "apiVersion: servicelevel/v1\n"
        "kind: AlertPolicy\n"
        "metadata: {name: policy}\n"
        "spec:\n"
        "  rules:\n"
        "    - severity: page\n"
        "      when:\n"
        "        any:\n"
        "          - burnRate: {over: 1h, above: 2}\n"
        "          - burnRate: {over: [1h, 5], above: 2}\n"
        "          - burnRate: {over: 1hour, above: 2}\n"
    )
    found = [(f.line, f.column, f.rule) for f in load(text).findings]
    assert found == [(10, 35, "openslo/duration"), (11, 30, "openslo/duration")]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"apiVersion": "servicelevel/v1", "kind": "SLO"}, "write apiVersion: openslo/v1 with it"),
        ({"apiVersion": "openslo/v1", "kind": "Correction"}, "apiVersion: servicelevel/v1 with it"),
        ({"apiVersion": "servicelevel/v2", "kind": "Correction"}, "or servicelevel/v1"),
        ({"apiVersion": "servicelevel/v1", "kind": "Corrections"}, "write Correction"),
    ],
)
def test_the_version_of_a_kind_is_pointed_out(
    load: Load, document: dict[str, str], says: str
) -> None:
    (finding,) = load(document | {"metadata": {"name": "a"}, "spec": {}}).findings
    assert says in finding.message
