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
FILES = [*GOLDEN.rglob("slos.yaml"), GOLDEN / "definitions" / "shop" / "slices.yaml"]
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(FILES)]
KINDS = (GOLDEN / "definitions" / "shop" / "slices.yaml").read_text(encoding="utf-8").split("---\n")
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


POLICY_HEAD = "apiVersion: servicelevel/v1\nkind: AlertPolicy\nmetadata: {name: p}\n"
KEYS = """
rules when all any burnRate over above weighted budgetSpent exhaustion within confidence noData for
severity name alertAfter resolve ratio after lowTraffic minEvents from to duration slos services
effect by reason calendar startTime timeZone aggregate interval maxGroups groupTtl
"""
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.sampled_from(["1h", "0m", "5s", "9999999Y", "p99", "p99.999999", "0.5", "Europe/Berlin"])
    | st.sampled_from(["9999-12-31T23:59:59-23:59", "1970-01-01T00:00:00Z", "2026-01-01 00:00:00"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


def _put(node: Any, value: Any, steps: list[int]) -> Any:
    """The node with a value somewhere inside it, at the place that the steps lead to."""
    if not steps or not isinstance(node, dict | list) or not node:
        return value
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = keys[steps[0] % len(keys)]
    node[key] = _put(node[key], value, steps[1:])
    return node


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(range(len(KINDS))), VALUES, st.lists(st.integers(0, 9), min_size=2, max_size=8)
)
def test_any_value_anywhere(loads: Loads, which: int, value: Any, steps: list[int]) -> None:
    documents = [yaml.safe_load(text) for text in KINDS]
    documents[which] = _put(documents[which], value, steps)
    loads(yaml.safe_dump_all(documents))


@pytest.mark.parametrize("key", ["all", "any"])
def test_conditions_nested_deep_or_wide_are_refused(loads: Loads, key: str) -> None:
    rule = "rules: [{severity: page, when: WHEN}]"
    policy = (
        f"apiVersion: servicelevel/v1\nkind: AlertPolicy\nmetadata: {{name: p}}\nspec: {{{rule}}}"
    )
    leaf = "{noData: {for: 1h}}"
    deep = f"{{{key}: [" * 25 + leaf + "]}" * 25
    wide = leaf
    for _ in range(4):
        wide = f"{{{key}: [{', '.join([wide] * 8)}]}}"
    for when in (deep, wide, f"{{{key}: [{', '.join([leaf] * 5_000)}]}}"):
        loaded = loads(policy.replace("WHEN", when))
        assert not loaded.is_valid
        assert len(loaded.findings) <= MAX_PROBLEMS + 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join))
def test_any_cel(loads: Loads, where: str) -> None:
    quoted = where.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    loads(SLI.replace("WHERE", quoted))


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
