"""Default rules, and OpenSLO's alert policies, as rules."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from servicelevel.adapters.files.alert_rules import can_fire, default_tiers, tier_rules
from servicelevel.adapters.files.definitions import Loaded
from servicelevel.domain.severity import Severity
from servicelevel.schemas.alert_tiers import AlertTiers
from tests.builders.definitions import burn, only, pair_of, policy, rules_of, rules_policy, slo

Load = Callable[..., Loaded]
HOUR = 3_600_000
DAY = 24 * HOUR


def test_default_rules_are_those_of_the_workbook(load: Load) -> None:
    (objective,) = only(load(slo())).objectives
    assert [(r.name, pair_of(r)[2], r.severity) for r in objective.rules] == [
        ("1h/5m", Fraction(144, 10), Severity.PAGE),
        ("6h/30m", Fraction(6), Severity.PAGE),
        ("1d/2h", Fraction(3), Severity.TICKET),
        ("3d/6h", Fraction(1), Severity.TICKET),
    ]
    assert pair_of(objective.rules[0])[1] == [HOUR, HOUR // 12]


@pytest.mark.parametrize(
    ("duration", "rules"),
    [
        ("30d", [("1h/5m", 14.4), ("6h/30m", 6), ("1d/2h", 3), ("3d/6h", 1)]),
        ("28d", [("1h/5m", 13.44), ("6h/30m", 5.6), ("1d/2h", 2.8), ("3d/6h", 14 / 15)]),
        ("7d", [("1h/5m", 13.44), ("6h/30m", 3.5), ("1d/2h", 1.4), ("3d/6h", 0.98)]),
        ("1d", [("1h/5m", 1.92), ("6h/30m", 1), ("1d/2h", 1)]),
        ("90d", [("1h/5m", 21.6), ("6h/30m", 10.8), ("1d/2h", 4.5), ("3d/6h", 3)]),
    ],
)
def test_default_rules_are_those_of_the_periods_length(
    load: Load, duration: str, rules: list[tuple[str, float]]
) -> None:
    document = slo(timeWindow=[{"duration": duration, "isRolling": True}])
    (objective,) = only(load(document)).objectives
    assert [(r.name, float(pair_of(r)[2])) for r in objective.rules] == [
        (name, pytest.approx(factor)) for name, factor in rules
    ]


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
    found, (_, short), factor = pair_of(rule)
    assert (found, short, factor) == (name, short_ms, Fraction(72, 5))


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


BOUNDS = [(14.4, "0.9306"), (6, "0.8333"), (3, "0.6667")]


@pytest.mark.parametrize(("factor", "bound"), BOUNDS)
def test_the_highest_target_that_a_factor_never_fires_for(factor: float, bound: str) -> None:
    exact = Fraction(str(factor))
    target = Fraction(bound)
    assert round(1 - 1 / exact, 4) == target
    assert not can_fire(exact, 1 - 1 / exact)
    assert not can_fire(exact, target - Fraction(1, 10_000))
    assert can_fire(exact, target + Fraction(1, 10_000))


def factors(window_ms: int) -> list[Fraction]:
    return [pair_of(rule)[2] for rule in tier_rules(default_tiers(), window_ms, 10_000)]


@pytest.mark.parametrize(
    ("days", "like"),
    [(10, 7), (14, 7), (15, 28), (27, 28), (29, 30), (51, 30), (52, 90), (89, 90), (366, 90)],
)
def test_other_windows_have_the_factors_of_the_nearest_period(days: int, like: int) -> None:
    assert factors(days * 24 * HOUR) == factors(like * 24 * HOUR)


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (167, ["13.36", "3.479167", "1.391667", "1"]),
        (24, ["1.92", "1", "1"]),
        (2, ["1"]),
    ],
)
def test_short_windows_keep_the_shares_of_7_days(hours: int, expected: list[str]) -> None:
    assert [f"{float(factor):.7g}" for factor in factors(hours * HOUR)] == expected


@pytest.mark.parametrize(
    ("period", "tiers", "expected"),
    [
        ("7d", [("1h", 0.1), ("6h", 0.2), ("24h", 0.4)], ["16.8", "5.6", "2.8"]),
        ("30d", [("1h", 0.02), ("6h", 0.05), ("24h", 0.1)], ["14.4", "6", "3"]),
        ("90d", [("1h", 0.01), ("6h", 0.03), ("24h", 0.05)], ["21.6", "10.8", "4.5"]),
    ],
)
def test_factors_follow_from_shares_as_at_datadog(
    period: str, tiers: list[tuple[str, float]], expected: list[str]
) -> None:
    """p % of the budget in the long window: p/100 · period / long; the short one is a twelfth."""
    shorts = {"1h": "5m", "6h": "30m", "24h": "2h"}
    entries = [
        {"long": long, "short": shorts[long], "budget": Decimal(str(share)), "severity": "page"}
        for long, share in tiers
    ]
    file = AlertTiers.model_validate(
        {"periods": [{"period": period, "source": "Datadog", "tiers": entries}]}
    )
    rules = tier_rules(file, int(period[:-1]) * DAY, 10_000)
    assert [pair_of(rule)[2] for rule in rules] == list(map(Fraction, expected))
    assert all(long == 12 * short for long, short in (pair_of(rule)[1] for rule in rules))


def test_rules_of_one_window_each_as_at_slo_generator(load: Load) -> None:
    """1h > 9, 12h > 3, 7d > 1.5 and 28d > 1; a factor is exact, so 9.04 is above 9."""
    pairs = [("1h", 9), ("12h", 3), ("7d", 1.5), ("28d", 1)]
    rules = [{"severity": "page", "when": burn(over, above)} for over, above in pairs]
    window = [{"duration": "28d", "isRolling": True}]
    document = slo(timeWindow=window, alertPolicies=[{"alertPolicyRef": "policy"}])
    (objective,) = only(load(document, rules_policy(*rules))).objectives
    found = [(rule.windows_ms, pair_of(rule)[2]) for rule in objective.rules]
    hours = [HOUR, 12 * HOUR, 7 * DAY, 28 * DAY]
    factors = [Fraction(9), Fraction(3), Fraction(3, 2), Fraction(1)]
    assert found == [((over,), factor) for over, factor in zip(hours, factors, strict=True)]


def test_no_factor_is_far_below_1() -> None:
    assert all(
        factor >= Fraction(93, 100) for day in range(1, 367) for factor in factors(day * DAY)
    )


@pytest.mark.parametrize(
    ("length", "names"),
    [
        ("5m", ["1h/5m", "6h/30m", "1d/2h", "3d/6h"]),
        ("1h", ["1h/1h", "6h/1h", "1d/2h", "3d/6h"]),
        ("6h", ["6h/6h", "1d/6h", "3d/6h"]),
    ],
)
def test_default_rules_fit_the_slices(load: Load, length: str, names: list[str]) -> None:
    sliced = {"target": 0.999, "timeSliceTarget": 0.9, "timeSliceWindow": length}
    found = only(load(slo(budgetingMethod="Timeslices", objectives=[sliced])))
    assert [rule.name for rule in found.objectives[0].rules] == names


def test_alert_after_is_how_long_it_must_hold(load: Load) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(alertAfter="5m")]))).objectives
    assert [rule.after_ms for rule in objective.rules] == [300_000]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({"alertWhenNoData": True}, ["1h/5m", "no data for 1h"]),
        ({"alertWhenNoData": True, "alertWhenBreaching": True}, ["1h/5m", "no data for 1h"]),
        ({"alertWhenNoData": True, "alertWhenBreaching": False}, ["no data for 1h"]),
        ({"alertWhenBreaching": True}, ["1h/5m"]),
    ],
)
def test_a_policy_says_when_it_alerts(
    load: Load, wanted: dict[str, bool], names: list[str]
) -> None:
    (objective,) = only(load(slo(alertPolicies=[policy(policy=wanted)]))).objectives
    assert sorted(rule.name for rule in objective.rules) == names


def test_a_lookback_window_shorter_than_a_slice_is_an_error(load: Load) -> None:
    sliced = {"target": 0.999, "timeSliceTarget": 0.9, "timeSliceWindow": "1h"}
    document = slo(
        budgetingMethod="Timeslices",
        objectives=[sliced],
        alertPolicies=[policy(lookbackWindow="30m")],
    )
    (finding,) = load(document).findings
    assert (finding.rule, finding.severity) == ("servicelevel/window", "error")
    assert "write 1h or more" in finding.message
