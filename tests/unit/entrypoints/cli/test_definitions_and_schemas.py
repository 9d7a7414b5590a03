"""`validate` and `schema` print what was found."""

from pathlib import Path

import orjson
import pytest

from tests.builders.cli import Outside, servicelevel

VALID = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: checkout}
spec: {}
"""


WORDS = Path(__file__).parents[3] / "golden" / "definitions" / "words"
RULES = """\
apiVersion: servicelevel/v1
kind: AlertPolicy
metadata: {name: ours}
spec:
  rules:
    - {severity: page, when: {burnRate: {over: 1h, above: 14.4}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: loose}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    metadata: {name: sli}
    spec:
      ratioMetric:
        good: {metricSource: {type: servicelevel, spec: {where: status_code < 500}}}
        total: {metricSource: {type: servicelevel, spec: {event: request}}}
  objectives: [{target: 0.9}]
  alertPolicies: [{alertPolicyRef: ours}]
"""
CORRECTION = """\
apiVersion: servicelevel/v1
kind: Correction
metadata: {name: move}
spec:
  slos: [pay]
  from: 2026-01-10T22:00:00Z
  to: 2026-01-11T02:00:00Z
  effect: remove
  by: ada
  reason: announced
"""


@pytest.fixture
def valid(tmp_path: Path) -> str:
    file = tmp_path / "valid.yaml"
    file.write_text(VALID)
    return str(file)


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    file = tmp_path / "wrong.yaml"
    file.write_text(VALID.replace("spec: {}", "spec: {descriptions: x}"))
    return str(file)


def test_valid_definitions_are_exit_0(valid: str) -> None:
    done = servicelevel(Outside(), "validate", valid)
    assert done.code == 0
    assert done.out.startswith("valid: ")


def test_what_is_wrong_is_told_by_file_line_and_rule(wrong: str) -> None:
    done = servicelevel(Outside(), "validate", wrong)
    assert done.code == 1
    assert done.out.startswith(f"{wrong}:4:")
    assert done.out.splitlines()[-1].startswith("not valid")


def test_findings_as_json(wrong: str) -> None:
    as_json = servicelevel(Outside(), "validate", wrong, "--format", "json")
    as_lines = servicelevel(Outside(), "validate", wrong, "--format", "ndjson")

    (found,) = orjson.loads(as_json.out)
    assert as_json.code == 1
    assert found == {
        "file": wrong,
        "line": 4,
        "column": 8,
        "rule": "openslo/unknown-field",
        "message": "there is no field `descriptions` here: write `description`",
        "severity": "error",
    }
    assert orjson.loads(as_lines.out) == found


def test_examples_of_all_words_are_complete() -> None:
    done = servicelevel(Outside(), "validate", "--complete", str(WORDS))
    assert (done.code, done.out) == (0, "valid: 5 SLOs, 6 objectives\n")


def test_a_rule_of_our_own_is_told_where_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(RULES)
    (found,) = orjson.loads(servicelevel(Outside(), "validate", str(file), "--format", "json").out)
    assert (found["line"], found["column"]) == (6, 7)
    assert found["rule"] == "servicelevel/never-fires"
    assert f"can never fire for the target at {file}:21: 14.4 * (1 - 0.9)" in found["message"]


def test_the_schema_of_definitions_knows_our_kinds() -> None:
    printed = orjson.loads(servicelevel(Outside(), "schema", "definitions").out)
    assert {"RulesDocument", "CorrectionDocument"} <= set(printed["$defs"])


def test_a_correction_of_what_is_elsewhere_is_valid_and_not_complete(tmp_path: Path) -> None:
    file = tmp_path / "corrections.yaml"
    file.write_text(CORRECTION)
    done = servicelevel(Outside(), "validate", str(file))
    assert done.code == 0
    assert "SLO pay is in none of the files" in done.out
    assert "valid, but some of it cannot be evaluated" in done.out
    assert servicelevel(Outside(), "validate", "--complete", str(file)).code == 1


def test_a_path_that_is_not_there_is_exit_3(tmp_path: Path) -> None:
    done = servicelevel(Outside(), "validate", str(tmp_path / "none.yaml"))
    assert done.code == 3
    assert "none.yaml" in done.err


def test_schemas_are_listed_and_printed() -> None:
    names = servicelevel(Outside(), "schema").out.split()
    assert "alert" in names
    for name in names:
        printed = orjson.loads(servicelevel(Outside(), "schema", name).out)
        assert printed["$id"] == f"urn:servicelevel:schema:{name}:1"
    assert orjson.loads(servicelevel(Outside(), "schema", "--asyncapi").out)["asyncapi"] == "3.0.0"


def test_an_unknown_schema_is_exit_2() -> None:
    done = servicelevel(Outside(), "schema", "nothing")
    assert done.code == 2
    assert "choose of request" in done.err
