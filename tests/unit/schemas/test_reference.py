"""Schemas accept what we write, and refuse what the contract does not allow."""

from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, ValidationError

from servicelevel.domain.outputs import DeadLetter, LateEvent, Output
from servicelevel.schemas.asides import dead_letter_event, late_event
from servicelevel.schemas.outputs import message
from servicelevel.schemas.reference import asyncapi_document, json_schemas
from tests.builders.outputs import AT, status, transition

REQUEST = {"time": AT, "service": "checkout"}
WRITTEN = {
    "alert": message(transition()).value,
    "status": message(status(sli=None, severity=None)).value,
    "dead-letter": dead_letter_event(DeadLetter("requests", 0, 1, "r", "d", None, b"k", AT)),
    "late": late_event(LateEvent("requests", 0, 1, "s", AT, AT, 5, "dropped", b"{}")),
}


@pytest.mark.parametrize("name", json_schemas())
def test_each_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json_schemas()[name])


@pytest.mark.parametrize("name", WRITTEN)
def test_what_we_write_is_valid(name: str) -> None:
    Draft202012Validator(json_schemas()[name]).validate(orjson.loads(WRITTEN[name]))


@pytest.mark.parametrize("output", [transition(), status()])
def test_a_missing_field_is_refused(output: Output) -> None:
    event = orjson.loads(message(output).value)
    del event["data"]["slo"]
    name = "alert" if "alert_id" in event["data"] else "status"
    with pytest.raises(ValidationError, match="slo"):
        Draft202012Validator(json_schemas()[name]).validate(event)


@pytest.mark.parametrize("absent", ["service", "time"])
def test_a_request_needs_service_and_time(absent: str) -> None:
    validator = Draft202012Validator(json_schemas()["request"])
    validator.validate(REQUEST)
    with pytest.raises(ValidationError, match=absent):
        validator.validate({key: value for key, value in REQUEST.items() if key != absent})


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi_document()
    references = list(_references(document))
    assert references
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [r for value in node.values() for r in _references(value)]
    return [r for item in node for r in _references(item)] if isinstance(node, list) else []
