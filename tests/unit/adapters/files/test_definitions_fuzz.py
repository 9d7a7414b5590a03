"""Whatever a file holds, loading it ends, in bounded work, and what is wrong is a finding."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.adapters.files.definitions import Loaded, load_definitions
from servicelevel.adapters.files.explain import MAX_PROBLEMS
from servicelevel.adapters.files.yaml_nodes import MAX_NODES, read_yaml

GOLDEN = Path(__file__).parents[3] / "golden"
FILES = [*sorted(GOLDEN.rglob("slos.yaml")), *sorted(GOLDEN.glob("definitions/*/*.yaml"))]
TEXTS = [path.read_text(encoding="utf-8") for path in dict.fromkeys(FILES)]
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: sli}
spec:
  thresholdMetric:
    metricSource: {type: servicelevel, spec: {value: duration_ms, where: "WHERE"}}
"""
PIECES = [
    "", " ", "\n", "\r", "\t", "\x85", "\u2028", "\ufeff", "\x00", "é", "\U0001d7d8", "\u0661",
    "&a ", "*a", "!!int ", "! ", "!x ", "? ", ": ", "- ", "|", ">", "|2-\n", "'", '"', "{", "}",
    "[", "]", "<<: *a", "---\n", "...\n", "%YAML 1.1\n", "# ", "~", "null", "true", "yes",
    "9" * 5_000, "1e9999", "-1e-9999", "0x" + "f" * 50, ".nan", "1_000", "12:30:45", "\\ud800",
    '"\\U00110000"', "[" * 200, "{a: " * 200, "x" * 5_000, "-0", "1e30", "2026-01-01", "a: b: c",
]  # fmt: skip
WHERE = "status_code service attributes.x 1 -1 2.5 'a' r'\\d' ( ) [ ] && || ! == < in ? : has("
WORDS = [*WHERE.split(), " ", "\n", "//", "é", "\ud7ff", "(" * 300, "9" * 5_000, "matches('(')"]

NAMED = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: slo}
spec:
  service: checkout
  budgetingMethod: Timeslices
  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}}]
  indicator:
    metadata: {name: sli}
    spec:
      ratioMetric:
        good: {metricSource: {type: servicelevel, spec: {where: status_code < 500}}}
        total: {metricSource: {type: servicelevel, spec: {event: request}}}
  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m}]
  alertPolicies: [{alertPolicyRef: ours}]
---
"""
SCALARS = st.sampled_from(
    ["5m", "1h", "0m", "9999999Y", "page", "", "0.95", "2026-01-01T00:00:00Z", "checkout", "slo",
     "9999-12-31T23:59:59.999999999+23:59", "0001-01-01T00:00:00-23:59", "a\n", "\u0661h"]
) | st.sampled_from([0, 1, -1, 0.5, 14.4, 1e30, 1e-30, True, None, 10**39])  # fmt: skip
KEYS = st.sampled_from(
    ["burnRate", "budgetSpent", "exhaustion", "noData", "all", "any", "over", "above", "within",
     "for", "weighted", "confidence", "name", "severity", "when", "alertAfter", "resolve", "ratio",
     "after", "lowTraffic", "minEvents", "minFailures"]
)  # fmt: skip
CONDITIONS = st.recursive(
    SCALARS
    | st.fixed_dictionaries(
        {},
        optional={
            "burnRate": st.fixed_dictionaries({"over": SCALARS, "above": SCALARS}),
            "budgetSpent": st.fixed_dictionaries({"above": SCALARS}),
            "exhaustion": st.fixed_dictionaries({"over": SCALARS, "within": SCALARS}),
            "noData": st.fixed_dictionaries({"for": SCALARS}),
        },
    ),
    lambda inner: st.dictionaries(KEYS, inner | st.lists(inner, max_size=4), max_size=2),
    max_leaves=12,
)
RULES = st.fixed_dictionaries(
    {"severity": st.sampled_from(["page", "info"]) | SCALARS, "when": CONDITIONS},
    optional={
        "name": SCALARS,
        "alertAfter": SCALARS,
        "resolve": st.dictionaries(KEYS, SCALARS, max_size=2),
        "lowTraffic": st.dictionaries(KEYS, SCALARS, max_size=3),
    },
)
CORRECTIONS = st.fixed_dictionaries(
    {"from": SCALARS, "to": SCALARS, "effect": st.sampled_from(["good", "remove"]) | SCALARS},
    optional={
        "services": st.lists(SCALARS, max_size=2),
        "slos": st.lists(SCALARS, max_size=2) | SCALARS,
        "by": SCALARS,
        "reason": SCALARS,
        "recordedAt": SCALARS,
    },
)

Loads = Callable[[str], Loaded]


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Loads a text, and looks at every finding."""
    file = tmp_path_factory.mktemp("fuzz") / "definitions.yaml"

    def load(text: str) -> Loaded:
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        loaded = load_definitions([file])
        for finding in [*loaded.findings, *loaded.unsupported]:
            assert finding.line >= 1
            assert finding.column >= 1
            assert finding.rule
            assert 0 < len(finding.message) < 2_000
        return loaded

    return load


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A golden file of which pieces are replaced, left out, doubled or cut off."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 4, 20, 200])))
        piece = draw(st.sampled_from([*PIECES, text[start:end] * 2]) | st.text(max_size=8))
        text = text[:start] + piece + text[end:]
    return text


@settings(max_examples=120, deadline=None)
@given(mutated())
def test_mutated_files(loads: Loads, text: str) -> None:
    loads(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=12).map("".join))
def test_any_text(loads: Loads, text: str) -> None:
    loads(text)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(TEXTS), st.integers(0, 60), st.sampled_from(PIECES))
def test_any_value_in_place_of_another(loads: Loads, text: str, line: int, piece: str) -> None:
    lines = text.split("\n")
    key, colon, _ = lines[line % len(lines)].partition(": ")
    lines[line % len(lines)] = f"{key}{colon}{piece}"
    loads("\n".join(lines))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join))
def test_any_cel(loads: Loads, where: str) -> None:
    quoted = where.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    loads(SLI.replace("WHERE", quoted))


@settings(max_examples=150, deadline=None)
@given(st.lists(RULES, max_size=3))
def test_any_rules(loads: Loads, rules: list[Any]) -> None:
    document = {
        "apiVersion": "servicelevel/v1",
        "kind": "AlertPolicy",
        "metadata": {"name": "ours"},
        "spec": {"rules": rules},
    }
    loaded = loads(NAMED + yaml.safe_dump(document, allow_unicode=True))
    assert loaded.catalogue.slos or not loaded.is_complete


@settings(max_examples=100, deadline=None)
@given(CORRECTIONS)
def test_any_correction(loads: Loads, spec: dict[str, Any]) -> None:
    document = {
        "apiVersion": "servicelevel/v1",
        "kind": "Correction",
        "metadata": {"name": "maintenance"},
        "spec": spec,
    }
    slo = NAMED.replace("  alertPolicies: [{alertPolicyRef: ours}]\n", "")
    loaded = loads(slo + yaml.safe_dump(document, allow_unicode=True))
    assert loaded.catalogue.slos


@pytest.mark.parametrize("depth", [5, 6, 18, 100, 5_000])
def test_conditions_in_conditions(loads: Loads, depth: int) -> None:
    nested = "{any: [" * (depth - 1) + "{noData: {for: 1h}}" + "]}" * (depth - 1)
    text = (
        "apiVersion: servicelevel/v1\nkind: AlertPolicy\nmetadata: {name: ours}\n"
        f"spec: {{rules: [{{severity: page, when: {nested}}}]}}\n"
    )
    assert loads(text).is_valid is (depth == 5)


def test_aliases_make_no_rule_of_many_conditions(loads: Loads) -> None:
    when = "{noData: {for: 1h}}"
    for level in range(1, 5):
        when = f"{{any: [&c{level} {when}{f', *c{level}' * 9}]}}"
    text = (
        "apiVersion: servicelevel/v1\nkind: AlertPolicy\nmetadata: {name: ours}\n"
        f"spec:\n  rules:\n    - {{severity: page, when: &c5 {when}}}\n"
        "    - {severity: info, when: *c5}\n"
    )
    messages = [finding.message for finding in loads(text).findings]
    assert messages == ["`when` has more than 50 conditions: write several rules"]


@pytest.mark.parametrize("text", ["a: |", "a: |\r  x", "a: >", "- |\u2028  x", "a: |2\n", "|"])
def test_block_texts_at_the_edge(loads: Loads, text: str) -> None:
    assert not loads(text).is_valid


def test_many_small_bombs_are_one_bomb() -> None:
    bomb = "[&a [x,x,x,x,x,x,x,x,x,x], &b [*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b]]"
    documents, problems = read_yaml("\n---\n".join([bomb] * 2_000))
    assert sum(len(document.values) for document in documents) <= MAX_NODES
    assert [problem.rule for problem in problems] == ["yaml/size"]


def test_the_problems_of_a_document_are_bounded(loads: Loads) -> None:
    many = "".join(f"  unknown{n}: {n}\n  empty{n}:\n" for n in range(1_000))
    findings = loads(SLI.replace("spec:\n", f"spec:\n{many}", 1)).findings
    assert len(findings) == 2 * MAX_PROBLEMS + 1
    assert "openslo/more" in [finding.rule for finding in findings]


@pytest.mark.parametrize(("character", "name"), [("\x00", "0000"), ("\x1f", "001F")])
def test_a_character_that_is_not_allowed_is_named(loads: Loads, character: str, name: str) -> None:
    (finding,) = loads(f"a: 1\nb: {character}").findings
    assert (finding.line, finding.column) == (2, 4)
    assert f"U+{name}" in finding.message
