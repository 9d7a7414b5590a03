"""The definitions that the reference page shows are evaluated."""

from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.adapters.files.yaml_nodes import read_yaml
from tests.unit.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "reference" / "definitions.md"
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: search-p99}
spec:
  service: checkout
"""
TARGET = (
    "apiVersion: openslo/v1\nkind: AlertNotificationTarget\n"
    "metadata: {name: on-call}\nspec: {target: pager}\n"
)
RATIO = """\
good: {metricSource: {type: servicelevel, spec: {where: status_code < 500}}}
total: {metricSource: {type: servicelevel, spec: {event: request}}}
"""
PARTS: dict[str, str] = {
    "budgetingMethod": "budgetingMethod: Occurrences\n",
    "timeWindow": "timeWindow: [{duration: 30d, isRolling: true}]\n",
    "objectives": "objectives: [{target: 0.999}]\n",
}
SHOWN = [text for language, text in blocks(PAGE) if language == "yaml"]


def indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def sli(name: str) -> str:
    ratio = indented(RATIO, 4)
    head = f"---\napiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: {name}}}\nspec:\n"
    return f"{head}  ratioMetric:\n{ratio}"


def document(shown: str) -> str:
    """What is shown, within what a reader would have around it."""
    (found,), _ = read_yaml(shown)
    value: Any = found.value
    if "apiVersion" in value:
        policies = ""
        if value["kind"] == "AlertPolicy":
            policies = f"alertPolicies: [{{alertPolicyRef: {value['metadata']['name']}}}]\n"
        return f"{shown}---\n{document(f'indicatorRef: plain{chr(10)}{policies}')}---\n{TARGET}"
    if "metricSource" in value:
        total = indented(shown, 2)
        good = shown.replace("operation != 'GET /health'", "status_code < 500")
        return document(f"ratioMetric:\n  good:\n{indented(good, 4)}  total:\n{indented(total, 2)}")
    if "total" in value:
        shown = f"ratioMetric:\n{indented(shown, 2)}"
        value = {"ratioMetric": None}
    if "ratioMetric" in value:
        shown = f"indicator:\n  metadata: {{name: sli}}\n  spec:\n{indented(shown, 4)}"
        value = {"indicator": None}
    is_composite = "indicatorRef: checkout-answers" in shown
    if not is_composite and "indicator" not in value and "indicatorRef" not in value:
        shown += "indicatorRef: plain\n"
    shown += "".join(text for key, text in PARTS.items() if key not in value)
    names = ("plain", "checkout-answers", "search-answers")
    return SLO + indented(shown, 2) + "".join(map(sli, names))


@pytest.mark.parametrize("shown", SHOWN, ids=[text.split("\n")[0] for text in SHOWN])
def test_what_is_shown_is_evaluated(tmp_path: Path, shown: str) -> None:
    file = tmp_path / "definitions.yaml"
    file.write_text(document(shown))
    loaded = load_definitions([file])
    assert [str(f) for f in loaded.findings if f.severity == "error"] == []
    assert [str(f) for f in loaded.unsupported] == []
    assert list(loaded.catalogue.slos) == ["search-p99"]


def test_the_page_shows_each_kind() -> None:
    assert len(SHOWN) >= 12
