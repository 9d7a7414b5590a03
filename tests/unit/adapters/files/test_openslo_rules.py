"""What OpenSLO v1 asks of a file as its author wrote it: rule, line, column, what to write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from servicelevel.adapters.files.definitions import Finding, Loaded, load_definitions
from servicelevel.bootstrap import read_catalogue
from servicelevel.errors import DefinitionError

Load = Callable[..., Loaded]

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {my-domain.org/tier: "1"}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow:
    - {duration: 30d, isRolling: true}
  indicator:
    metadata: {name: good-requests}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: up}}}
        total: {metricSource: {type: Datadog, spec: {query: up}}}
  objectives:
    - target: 0.99
  alertPolicies:
    - alertPolicyRef: policy
"""
CALENDAR = "{duration: 1M, calendar: {startTime: START, timeZone: ZONE}}"
ROLLING = "{duration: 30d, isRolling: true}"
RATIO = SLO[SLO.index("      ratioMetric") : SLO.index("  objectives")]
POLICY_INLINE = """\
    - kind: AlertPolicy
      metadata: {name: inline}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {name: fast-burn}
            spec:
              severity: page
              condition: {kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h}
        notificationTargets:
          - kind: AlertNotificationTarget
            metadata: {name: on-call}
            spec: {target: mail}
"""
SLO_INLINE = SLO.replace("    - alertPolicyRef: policy\n", POLICY_INLINE)
CORRECTION = """\
apiVersion: servicelevel/v1
kind: Correction
metadata: {name: maintenance}
spec:
  services: [checkout]
  from: 2026-01-10T22:00:00Z
  to: "2026-01-11T02:00:00Z"
  effect: remove
  by: ada
  reason: announced
"""
RULES = """\
apiVersion: servicelevel/v1
kind: AlertPolicy
metadata: {name: ours}
spec:
  rules:
    - {severity: page, when: {burnRate: {over: [1h, 5m], above: 14.4}}}
"""
INLINE = SLO[SLO.index("  indicator:") : SLO.index("  objectives")]
THRESHOLD = "      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: up}}}\n"
POLICY = """\
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: policy}
spec:
  conditions:
    - kind: AlertCondition
      metadata: {name: fast-burn}
      spec:
        severity: page
        condition: {kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h}
  notificationTargets:
    - kind: AlertNotificationTarget
      metadata: {name: on-call}
      spec: {target: mail}
"""
SERVICE = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: checkout}\n"
SLICES = "budgetingMethod: Timeslices"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Reads a text as a definition file."""

    def read(text: str, *, lenient: bool = False) -> Loaded:
        file = tmp_path / "definitions.yaml"
        file.write_text(text, encoding="utf-8")
        return load_definitions([file], lenient=lenient)

    return read


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def told(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(f.rule, f.line, f.column) for f in findings]


VALID = [
    SLO,
    POLICY,
    SERVICE,
    SERVICE + "spec:\n",
    changed(SLO, "  alertPolicies:\n    - alertPolicyRef: policy\n", "  alertPolicies:\n"),
    changed(SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 12:30:00").replace("ZONE", "UTC")),
    changed(SLO, ROLLING, CALENDAR.replace("START", '"2026-01-01 12:30:00"').replace(
        "ZONE", "Asia/Tokyo")),
    changed(SLO, "target: 0.99", "targetPercent: 99.9"),
    # the ranges of slices are those of the slice methods
    changed(SLO, "target: 0.99", "{target: 0.99, timeSliceTarget: 7, timeSliceWindow: 0m}"),
    changed(SLO, "Occurrences", "RatioTimeslices").replace(
        "target: 0.99", "{target: 0.99, timeSliceTarget: 7, timeSliceWindow: 5m}"),
    changed(SLO, "Occurrences", "Timeslices").replace(
        "target: 0.99", "{target: 0.99, timeSliceTarget: 1, timeSliceWindow: 5m}"),
    # op and value are asked for where the metric can be seen
    changed(SLO, RATIO, THRESHOLD).replace("target: 0.99", "{target: 0.99, op: lt, value: 3}"),
    "".join(f"- {text.replace(chr(10), chr(10) + '  ')}\n" for text in (SLO, POLICY, SERVICE)),
    f"- {SERVICE.replace(chr(10), chr(10) + '  ')}\n---\n{POLICY}",
    f"{SERVICE}---\n{SERVICE}",
    SLO_INLINE,
    CORRECTION,
    RULES,
    f"{SERVICE}---\n{RULES}---\n{CORRECTION}",
    f"{SLO}---\n{SLO}",
]  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_valid_documents(load: Load, text: str) -> None:
    for lenient in (False, True):
        loaded = load(text, lenient=lenient)
        assert loaded.findings == []
        assert loaded.is_valid


WRONG = [
    (SLO, "name: availability", "name: Availability", "openslo/name", "checkout-availability"),
    (SLO, "name: availability", "name: 123", "openslo/type", '"123"'),
    (SLO, "name: availability", 'name: "availability\\n"', "openslo/name", "DNS label"),
    (SLO, "name: availability", f"name: {'a' * 64}", "openslo/name", "1 to 63"),
    (SLO, "{name: good-requests}", "{name: good.requests}", "openslo/name", "DNS label"),
    (SLO, "alertPolicyRef: policy", "alertPolicyRef: Policy", "openslo/name", "DNS label"),
    (SLO, "type: Prometheus,", "metricSourceRef: a_b,", "openslo/name", "DNS label"),
    (SLO, "alertPolicyRef: policy", 'alertPolicyRef: "policy\\n"', "openslo/name", "DNS label"),
    (SLO, "type: Prometheus,", 'metricSourceRef: "ab\\n",', "openslo/name", "DNS label"),
    (SLO, INLINE, '  indicatorRef: "a\\n"\n', "openslo/name", "DNS label"),
    (SLO, INLINE, "  indicatorRef: -a\n", "openslo/name", "DNS label"),
    (SLO, 'tier: "1"', "tier: 1", "openslo/type", '"1"'),
    (SLO, "counter: true", 'counter: "true"', "openslo/type", "without quotes"),
    (SLO, "counter: true", "counter: yes", "openslo/type", "write true"),
    (SLO, "counter: true", "counter: 1\n        counter: 2", "yaml/duplicate-key", "in line"),
    (SLO, "target: 0.99", 'target: "0.99"', "openslo/type", "without quotes"),
    (SLO, "target: 0.99", "target: 1", "openslo/target", "0.999"),
    (SLO, "isRolling: true", "isRolling: false", "openslo/time-window", "isRolling: true"),
    (SLO, "isRolling: true", "isRolling: on", "openslo/type", "write true"),
    (SLO, "isRolling: true", "isRolling: 1", "openslo/type", "true or false"),
    (SLO, "30d", "0d", "openslo/duration", "longer than zero"),
    (SLO, "30d", "1.5d", "openslo/duration", "30d"),
    (SLO, "30d", "30D", "openslo/duration", "30d"),
    (SLO, "30d", '"30d\\n"', "openslo/duration", "30d"),
    (SLO, "30d", "30days", "openslo/duration", "30d"),
    (SLO, "30d", "1h30m", "openslo/duration", "30d"),
    (SLO, "30d", "30", "openslo/duration", "30d"),
    (SLO, ", isRolling: true", "", "openslo/time-window", "isRolling: true"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01T00:00:00Z").replace("ZONE", "UTC"),
     "openslo/start-time", "2026-01-01 00:00:00"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 00:00:00").replace("ZONE", "Mars/One"),
     "openslo/time-zone", "Europe/Berlin"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 00:00").replace("ZONE", "UTC"),
     "openslo/start-time", "2026-01-01 00:00:00"),
    (SLO, ROLLING, CALENDAR.replace("START", '"2026-02-30 00:00:00"').replace("ZONE", "UTC"),
     "openslo/start-time", "2026-01-01 00:00:00"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 00:00:00").replace(
        "ZONE", "europe/berlin"), "openslo/time-zone", "Europe/Berlin"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 00:00:00").replace(
        "ZONE", "../etc/localtime"), "openslo/time-zone", "Europe/Berlin"),
    (SLO, ROLLING, CALENDAR.replace("START", "2026-01-01 00:00:00").replace(
        "ZONE", "UTC").replace("1M", "1M, isRolling: true"), "openslo/time-window", "remove it"),
    (SLO, "    - {duration: 30d, isRolling: true}\n", "    []\n", "openslo/time-window", "30d"),
    (SLO, "spec: {query: up}", "spec: {}", "openslo/length", "at least 1"),
    (SLO, RATIO, THRESHOLD, "openslo/threshold", "op: lte"),
    (SLO, "target: 0.99", "{target: 0.99, op: lt, value: 3}", "openslo/threshold", "remove"),
    (SLO, "budgetingMethod: Occurrences", SLICES, "openslo/time-slice", "0.95"),
    (SLO, "target: 0.99", "{target: 0.99, targetPercent: 99}", "openslo/one-of", "together"),
    (SLO_INLINE, "threshold: 14.4", 'threshold: "14.4"', "openslo/type", "without quotes"),
    (SLO_INLINE, "lookbackWindow: 1h", "lookbackWindow: 1", "openslo/duration", "1h"),
    (SLO_INLINE, "{name: on-call}", "{name: on_call}", "openslo/name", "DNS label"),
    (SLO_INLINE, "            spec: {target: mail}\n", "", "openslo/one-of", "targetRef or spec"),
    (POLICY, "  notificationTargets:", "    - conditionRef: other\n  notificationTargets:",
     "openslo/length", "at most 1"),
    (POLICY, POLICY[POLICY.index("    - kind: AlertNot"):], "    []\n",
     "openslo/length", "at least 1"),
    (POLICY, POLICY[POLICY.index("  notificationT"):], "", "openslo/required", "add it"),
    (POLICY, "threshold: 14.4", 'threshold: "14.4"', "openslo/type", "without quotes"),
    (POLICY, "{target: mail}", "{target: mail, to: you}", "openslo/unknown-field", "remove"),
    (POLICY, "{target: mail}", "{target: ''}", "openslo/length", "give it a value"),
    (SERVICE, "v1", "v1alpha", "openslo/api-version", "timeWindow"),
    (SERVICE, "openslo/v1", "openslo.com/v2alpha", "openslo/api-version", "indicatorRef for"),
    (SERVICE, "openslo/v1", "openslo/v3", "openslo/api-version", "write apiVersion: openslo/v1"),
    (CORRECTION, "name: maintenance", "name: Maintenance", "openslo/name", "DNS label"),
    (CORRECTION, "name: maintenance", f"name: a, displayName: {'x' * 64}",
     "openslo/display-name", "63"),
    (CORRECTION, "servicelevel/v1", "servicelevel/v2", "openslo/api-version", "servicelevel/v1"),
    (CORRECTION, "reason: announced", "reason:", "openslo/empty", "give it a value"),
    (CORRECTION, "effect: remove", "effect: remove\n  effect: good", "yaml/duplicate-key", "line"),
    (RULES, "over: [1h, 5m]", "over: [1h, 5 m]", "openslo/duration", "1h"),
    (RULES, "severity: page", "severity: yes", "openslo/choice", "'page'"),
    (SERVICE, "name: checkout", f"name: checkout, displayName: {'x' * 64}",
     "openslo/display-name", "63"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "rule", "says"), WRONG)
def test_wrong_documents(load: Load, text: str, old: str, new: str, rule: str, says: str) -> None:
    loaded = load(changed(text, old, new))
    (finding,) = loaded.findings
    assert (finding.rule, finding.severity) == (rule, "error")
    assert says in finding.message
    assert not loaded.is_valid
    assert loaded.catalogue.slos == {}


@pytest.mark.parametrize(
    ("text", "old", "new", "place"),
    [
        (SLO, "name: availability", "name: 123", ("openslo/type", 4, 9)),
        (SLO, "0.99", '"0.99"', ("openslo/type", 19, 15)),
        (SLO, "30d", "30days", ("openslo/duration", 10, 18)),
        (SLO, 'tier: "1"', "tier: 1", ("openslo/type", 5, 37)),
        (POLICY, "to: you", "to: you", ("openslo/unknown-field", 14, 28)),
        (SERVICE, "openslo/v1", "openslo/v1alpha", ("openslo/api-version", 1, 13)),
    ],
)
def test_a_finding_tells_the_place(
    load: Load, text: str, old: str, new: str, place: tuple[str, int, int]
) -> None:
    text = text.replace("{target: mail}", "{target: mail, to: you}") if old == "to: you" else text
    assert told(load(changed(text, old, new)).findings) == [place]


LENIENT = [
    changed(SLO, "target: 0.99", "{target: 0.99, op: lt, value: 3}"),
    changed(SLO, "  timeWindow:\n    - {duration: 30d, isRolling: true}\n", ""),
    changed(SLO, "    - {duration: 30d, isRolling: true}\n", "    []\n"),
    changed(SLO, "    metadata: {name: good-", "    kind: SLI\n    metadata: {name: good-"),
    changed(SLO, "service: checkout", "service: checkout\n  description:"),
    changed(SLO, "Occurrences", "Timeslices").replace(
        "target: 0.99", "{target: 0.99, timeSliceTarget: 1, timeSliceWindow: 5}"),
    changed(SERVICE, "name: checkout", f"name: checkout, displayName: {'x' * 64}"),
    changed(SLO, INLINE, "").replace(  # a composite whose threshold has no op and value
        "target: 0.99\n",
        "target: 0.99\n" + INLINE.replace(RATIO, THRESHOLD).replace("\n  ", "\n      ").replace(
            "  indicator", "      indicator", 1)),
]  # fmt: skip


@pytest.mark.parametrize("text", LENIENT)
def test_lenient_takes_what_strict_does_not(load: Load, text: str) -> None:
    assert not load(text).is_valid
    assert load(text, lenient=True).is_valid


@pytest.mark.parametrize(
    "objective", ["target: 0.99", "{target: 0.99, op: lt}", "{target: 0.99, value: 3}"]
)
def test_a_threshold_elsewhere_is_not_this_documents_matter(load: Load, objective: str) -> None:
    slo = changed(SLO, INLINE, "  indicatorRef: delay\n").replace("target: 0.99", objective)
    sli = f"apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: delay}}\nspec:\n{THRESHOLD}"
    loaded = load(f"{slo}---\n{sli}")
    assert loaded.findings == []
    assert "openslo/threshold" in [f.rule for f in loaded.unsupported if f.severity == "error"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SLO, "metric sources of type Prometheus are not evaluated"),
        (SLO, "AlertPolicy policy is in none of the files"),
        (f"{SERVICE}---\n{SERVICE}", "Service checkout is already defined"),
    ],
)
def test_run_refuses_what_it_cannot_resolve_or_evaluate(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "definitions.yaml"
    file.write_text(text)
    with pytest.raises(DefinitionError, match=says):
        read_catalogue((file,), lenient=False)


def test_the_second_of_a_name_is_checked_as_the_first(load: Load) -> None:
    broken = "{metricSource: {type: servicelevel, spec: {where: status_code <}}}"
    second = SLO.replace("{metricSource: {type: Prometheus, spec: {query: up}}}", broken)
    (finding,) = load(f"{SLO}---\n{second}").findings
    assert finding.rule == "servicelevel/where"
    assert finding.line == SLO.count("\n") + 17


def test_two_expressions_that_are_too_long_together(load: Load) -> None:
    where = " || ".join(["status_code < 500"] * 150)
    source = f"{{metricSource: {{type: servicelevel, spec: {{where: {where}}}}}}}"
    text = SLO.replace("{metricSource: {type: Prometheus, spec: {query: up}}}", source)
    text = text.replace(
        "{metricSource: {type: Datadog, spec: {query: up}}}", source.replace("500", "501")
    )
    assert told(load(text).findings) == [("servicelevel/where", 16, 57)]
