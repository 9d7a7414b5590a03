"""The schema of definition files accepts what is valid, and refuses what an editor should mark."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.adapters.files.first_definitions import first_definitions
from servicelevel.schemas.extensions import EXTENSION_KINDS
from servicelevel.schemas.openslo.field_texts import TEXTS
from servicelevel.schemas.openslo.kinds import KINDS
from servicelevel.schemas.reference import json_schemas
from tests.builders.definitions import burn, correction, rules_policy

ROOT = Path(__file__).resolve().parents[4]
FILES = [
    *ROOT.glob("tests/golden/definitions/**/*.yaml"),
    *ROOT.glob("tests/golden/scenarios/*/slos.yaml"),
    ROOT / "src/servicelevel/entrypoints/demo/shop.yaml",
]
SCHEMA = json_schemas()["definitions"]
VALIDATOR = Draft202012Validator(SCHEMA)


class _Loader(yaml.SafeLoader):
    """Times are text, as in YAML 1.2, which editors read."""

    yaml_implicit_resolvers: ClassVar = {
        first: [each for each in resolvers if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _documents(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=_Loader))  # a safe loader of ours


def _slo(name: str) -> dict[str, Any]:
    """A valid SLO, to be broken."""
    documents = _documents(first_definitions("checkout"))
    return next(d for d in documents if d["metadata"]["name"] == f"checkout-{name}")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_valid_files_are_valid(file: Path) -> None:
    documents = _documents(file.read_text("utf-8"))
    assert documents
    for document in documents:
        VALIDATOR.validate(document)


def test_what_init_writes_is_valid() -> None:
    for document in _documents(first_definitions("checkout")):
        VALIDATOR.validate(document)


def _other_kind(slo: dict[str, Any]) -> None:
    slo["kind"] = "Slo"


def _other_version(slo: dict[str, Any]) -> None:
    slo["apiVersion"] = "openslo/v2"


def _unknown_field(slo: dict[str, Any]) -> None:
    slo["spec"]["objective"] = []


def _no_window(slo: dict[str, Any]) -> None:
    del slo["spec"]["timeWindow"]


def _window_without_form(slo: dict[str, Any]) -> None:
    slo["spec"]["timeWindow"] = [{"duration": "30d"}]


def _window_of_two_forms(slo: dict[str, Any]) -> None:
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}
    slo["spec"]["timeWindow"][0]["calendar"] = calendar


def _odd_duration(slo: dict[str, Any]) -> None:
    slo["spec"]["timeWindow"][0]["duration"] = "30 days"


def _two_indicators(slo: dict[str, Any]) -> None:
    slo["spec"]["indicatorRef"] = "another"


def _target_of_one(slo: dict[str, Any]) -> None:
    slo["spec"]["objectives"][0]["target"] = 1


def _target_as_text(slo: dict[str, Any]) -> None:
    slo["spec"]["objectives"][0]["target"] = "0.99"


def _two_targets(slo: dict[str, Any]) -> None:
    slo["spec"]["objectives"][0]["targetPercent"] = 99


def _name_that_is_none(slo: dict[str, Any]) -> None:
    slo["metadata"]["name"] = "Checkout availability"


def _good_and_bad(slo: dict[str, Any]) -> None:
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    ratio["bad"] = deepcopy(ratio["good"])


def _misspelt_source(slo: dict[str, Any]) -> None:
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    ratio["good"]["metricSource"]["spec"]["were"] = "status_code < 500"


def _other_event(slo: dict[str, Any]) -> None:
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    ratio["total"]["metricSource"]["spec"]["event"] = "requests"


BREAKS: list[Callable[[dict[str, Any]], None]] = [
    _other_kind,
    _other_version,
    _unknown_field,
    _no_window,
    _window_without_form,
    _window_of_two_forms,
    _odd_duration,
    _two_indicators,
    _target_of_one,
    _target_as_text,
    _two_targets,
    _name_that_is_none,
    _good_and_bad,
    _misspelt_source,
    _other_event,
]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__.strip("_"))
def test_what_is_wrong_is_refused(broken: Callable[[dict[str, Any]], None]) -> None:
    slo = _slo("availability")
    VALIDATOR.validate(slo)
    broken(slo)
    assert not VALIDATOR.is_valid(slo)
    assert not VALIDATOR.is_valid([slo])


def _rules(*conditions: Any, **rule: Any) -> dict[str, Any]:
    """Rules that strict validation takes, one for each condition."""
    return rules_policy(*({"severity": "page", "when": when} | rule for when in conditions))


OURS = [
    _rules(burn(), burn(["1h", "5m"], 6), burn(weighted=True), burn(above=0)),
    _rules({"budgetSpent": {"above": 1}}, {"noData": {"for": "10m"}}),
    _rules({"exhaustion": {"within": "3d", "over": "6h"}}),
    _rules({"exhaustion": {"within": "3d", "over": "6h", "confidence": 0.99}}),
    _rules({"all": [burn(), {"any": [burn(), {"noData": {"for": "1h"}}]}]}),
    _rules(burn(), name="a b", alertAfter="0m", resolve={"ratio": 1, "after": "0m"}),
    _rules(burn(), resolve={}, lowTraffic={"minEvents": 1, "severity": "info"}),
    correction(),
    correction(services=None, slos=["a"], recordedAt="2026-01-01T00:00:00.5+01:00"),
]


@pytest.mark.parametrize("document", OURS, ids=range(len(OURS)))
def test_it_is_no_stricter_on_our_kinds(document: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(yaml.safe_dump(document))
    assert load_definitions([file]).findings == []
    VALIDATOR.validate(document)
    VALIDATOR.validate([document])


@pytest.mark.parametrize(
    "document",
    [
        _rules({}),
        _rules(burn() | {"noData": {"for": "1h"}}),
        _rules(burn(["1h"] * 5)),
        _rules(burn("1x")),
        _rules({"budgetSpent": {"above": 90}}),
        _rules({"exhaustion": {"within": "3d", "over": "6h", "confidence": 0.5}}),
        _rules({"any": [{"all": [{"burn": {}}]}]}),
        _rules(burn(), severity="critical"),
        _rules(burn(), resolve={"ratio": 0}),
        _rules(),
        {**_rules(burn()), "apiVersion": "openslo/v1"},
        correction(effect="bad"),
        correction(reason=None),
        correction(slos=["A"]),
    ],
)
def test_what_is_wrong_in_our_kinds_is_refused(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)


def test_other_metric_sources_are_left_alone() -> None:
    slo = _slo("availability")
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    ratio["good"]["metricSource"] = {"type": "prometheus", "spec": {"query": "up"}}
    VALIDATOR.validate(slo)


def test_a_service_needs_no_spec() -> None:
    VALIDATOR.validate(
        {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "checkout"}}
    )


def test_every_kind_is_there() -> None:
    kinds = {part["properties"]["kind"]["const"] for _, part in _parts() if "kind" in _fields(part)}
    assert set(KINDS) | set(EXTENSION_KINDS) <= kinds
    count = len(KINDS) + len(EXTENSION_KINDS)
    assert len(SCHEMA["$defs"]["Definition"]["oneOf"]) == len(SCHEMA["oneOf"]) - 1 == count


def test_every_part_and_field_is_described() -> None:
    for name, part in _parts():
        assert part["description"], name
        for field, schema in _fields(part).items():
            assert schema.get("description"), (name, field)


def test_no_text_is_of_a_field_that_is_gone() -> None:
    fields = {(name, field) for name, part in _parts() for field in _fields(part)}
    known = {field for _, field in fields} | {f"{name}.{field}" for name, field in fields}
    assert set(TEXTS) <= known


def test_references_lead_somewhere() -> None:
    found = set(re.findall(r"'\$ref': '#/\$defs/(\w+)'", repr(SCHEMA)))
    assert found == set(SCHEMA["$defs"])


def _parts() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from SCHEMA["$defs"].items()


def _fields(part: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = part.get("properties", {})
    return fields
