"""JSON Schemas of events and definitions, and an AsyncAPI 3 document, made from the models."""

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import BaseModel

from servicelevel.schemas.cloudevents import (
    AlertEvent,
    DeadLetterEvent,
    LateEventEvent,
    StatusEvent,
)
from servicelevel.schemas.events import EVENT_TYPES
from servicelevel.schemas.openslo.json_schema import definitions_schema

Schema = dict[str, Any]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_OUTPUTS: Mapping[str, type[BaseModel]] = {
    "alert": AlertEvent,
    "status": StatusEvent,
    "dead-letter": DeadLetterEvent,
    "late": LateEventEvent,
}
_READ = {"requests": "request", "incidents": "incident", "changes": "change"}
_WRITTEN = {
    "warnings": ("alert", "Objectives that are threatened."),
    "breaches": ("alert", "Objectives that are missed."),
    "status": ("status", "Where each objective stands; compacted, the last of a key is in force."),
    "late": ("late", "Events behind the watermark of their source."),
    "dead-letter": ("dead-letter", "Records that could not be read."),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """By name: the events that are read, those that are written, and definition files."""
    made = {**_schemas("#/$defs/"), "definitions": definitions_schema()}
    return {
        name: {
            "$schema": _DIALECT,
            "$id": f"urn:servicelevel:schema:{name}:1",
            **schema,
            "$defs": parts,
        }
        for name, (schema, parts) in made.items()
    }


def asyncapi_document() -> dict[str, Any]:
    """AsyncAPI 3.0 of all topics that others write or read, named without prefix."""
    made = _schemas("#/components/schemas/")
    channels = {topic: (name, "") for topic, name in _READ.items()} | _WRITTEN
    shared = {key: part for _, parts in made.values() for key, part in parts.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "servicelevel",
            "version": "1",
            "description": "Events in, warnings, breaches and statuses out.",
        },
        "defaultContentType": "application/json",
        "channels": {
            topic: {
                "address": topic,
                **({"description": text} if text else {}),
                "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            }
            for topic, (name, text) in channels.items()
        },
        "operations": {
            f"{_action(topic)}_{topic}": {
                "action": _action(topic),
                "channel": {"$ref": f"#/channels/{topic}"},
                "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"}],
            }
            for topic, (name, _) in channels.items()
        },
        "components": {
            "messages": {name: _message(name, schema) for name, (schema, _) in made.items()},
            "schemas": dict(sorted(shared.items())),
        },
    }


def _action(topic: str) -> str:
    return "receive" if topic in _READ else "send"


def _message(name: str, schema: Schema) -> Schema:
    kind = "application/cloudevents+json" if name in _OUTPUTS else "application/json"
    return {"name": name, "contentType": kind, "payload": schema}


def _schemas(refer: str) -> dict[str, tuple[Schema, dict[str, Schema]]]:
    """Each event's schema, and the parts it refers to as `refer` + name."""
    read = {str(kind): _read_schema(event, refer) for kind, event in EVENT_TYPES.items()}
    return read | {name: _written_schema(model, refer) for name, model in _OUTPUTS.items()}


def _written_schema(model: type[BaseModel], refer: str) -> tuple[Schema, dict[str, Schema]]:
    schema = model.model_json_schema(mode="serialization", ref_template=refer + "{model}")
    parts = schema.pop("$defs", {})
    return schema, parts


def _read_schema(event: type[msgspec.Struct], refer: str) -> tuple[Schema, dict[str, Schema]]:
    _, parts = msgspec.json.schema_components([event], ref_template=refer + "{name}")
    schema = parts.pop(event.__name__)
    schema["description"] = str(schema.get("description", "")).partition("\n")[0]
    # May be absent where an envelope carries them; whoever writes without one must give them.
    schema["required"] = sorted({*schema.get("required", []), "service", "time"})
    return schema, parts
