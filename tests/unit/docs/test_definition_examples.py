"""The examples of the reference of definitions can be loaded, and are evaluated."""

from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.adapters.files.yaml_nodes import read_yaml
from tests.unit.docs.pages import ROOT, blocks

PAGES = [ROOT / "docs/reference/definitions.md", ROOT / "docs/explanation/alerting.md"]
EXAMPLES = [
    (page, block.text) for page in PAGES for block in blocks(page) if block.language == "yaml"
]
SOURCE = "{metricSource: {type: servicelevel, spec: {event: request}}}"
AROUND = (
    "apiVersion: openslo/v1\n"
    "kind: AlertNotificationTarget\n"
    "metadata: {name: on-call}\n"
    "spec: {target: mail}\n"
) + "".join(
    "---\n"
    "apiVersion: openslo/v1\n"
    "kind: SLI\n"
    f"metadata: {{name: {name}}}\n"
    f"spec: {{ratioMetric: {{good: {SOURCE}, total: {SOURCE}}}}}\n"
    for name in ("payments", "searches")
)
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: example}
spec:
"""
DEFAULTS = {
    "service": "  service: checkout\n",
    "budgetingMethod": "  budgetingMethod: Occurrences\n",
    "timeWindow": "  timeWindow: [{duration: 30d, isRolling: true}]\n",
    "objectives": "  objectives: [{target: 0.999}]\n",
    "indicator": "  indicatorRef: payments\n",
}


def indented(text: str, spaces: int) -> str:
    return "".join(f"{' ' * spaces}{line}\n" for line in text.splitlines())


def an_slo(parts: str, *, has: set[str]) -> str:
    rest = (default for field, default in DEFAULTS.items() if field not in has)
    return SLO + parts + "".join(rest)


def whole(text: str) -> str:
    """An example made a document, as far as it is none."""
    (document,), problems = read_yaml(text)
    assert problems == []
    fields: dict[str, Any] = document.value
    if fields.get("kind") == "AlertPolicy":
        policy = f"  alertPolicies: [{{alertPolicyRef: {fields['metadata']['name']}}}]\n"
        return f"{text}---\n{an_slo(policy, has=set())}"
    if fields.get("kind") == "Correction":
        (service,), (name,) = fields["spec"]["services"], fields["spec"]["slos"]
        corrected = an_slo(f"  service: {service}\n", has={"service"})
        return f"{text}---\n{corrected.replace('name: example', f'name: {name}')}"
    if "apiVersion" in fields:
        return text
    if "metricSource" in fields:
        metric = indented(text, 8)
        text = f"ratioMetric:\n  good:\n{metric}  total:\n{metric}"
        fields = {"ratioMetric": None}
    if "ratioMetric" in fields:
        text = f"indicator:\n  metadata: {{name: sli}}\n  spec:\n{indented(text, 4)}"
        fields = {"indicator": None}
    return an_slo(indented(text, 2), has=set(fields))


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=lambda each: getattr(each, "stem", ""))
def test_an_example_is_valid_and_evaluated(page: Path, text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(f"{AROUND}---\n{whole(text)}", encoding="utf-8")
    loaded = load_definitions([file])
    assert [str(f) for f in [*loaded.findings, *loaded.unsupported]] == [], page
    assert loaded.catalogue.slos
