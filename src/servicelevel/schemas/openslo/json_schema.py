"""A JSON Schema of definition files, made from the models, for editors.

It is no stricter than strict validation but in one point: a field that is left empty is refused.
What takes more than one document, or CEL, to judge is left to `servicelevel validate`.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from servicelevel.schemas.extensions import EXTENSION_KINDS
from servicelevel.schemas.openslo.common import Duration
from servicelevel.schemas.openslo.field_texts import TEXTS
from servicelevel.schemas.openslo.kinds import KINDS
from servicelevel.schemas.openslo.source import SOURCE_TYPE, ServicelevelSource

Schema = dict[str, Any]
_REFER = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Says what may be written, not what the models make of it."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if not made.get("default"):  # what is false, empty or none by default goes without saying
            made.pop("default", None)
        return made

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, BaseModel):
            return dft.model_dump(exclude_defaults=True)
        return dft.text if isinstance(dft, Duration) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def definitions_schema() -> tuple[Schema, dict[str, Schema]]:
    """The schema of one document or a list of them, and the parts that it refers to."""
    kinds: list[type[BaseModel]] = [*KINDS.values(), *EXTENSION_KINDS.values()]
    models: list[type[BaseModel]] = [*kinds, ServicelevelSource]
    _, made = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=_REFER + "{model}",
        schema_generator=_Generator,
    )
    parts: dict[str, Schema] = made["$defs"]
    del parts[Duration.__name__]  # what a model makes of the text
    for name, part in parts.items():
        _explain(name, part)
    parts["MetricSource"] |= {
        "if": {"properties": {"type": {"const": SOURCE_TYPE}}, "required": ["type"]},
        "then": {"properties": {"spec": {"$ref": _REFER + ServicelevelSource.__name__}}},
    }
    one = [{"$ref": _REFER + model.__name__} for model in kinds]
    parts["Definition"] = {"description": "A document, OpenSLO v1 or ours.", "oneOf": one}
    several = {"type": "array", "items": {"$ref": _REFER + "Definition"}}
    top = {"title": "Definitions", "description": "OpenSLO v1 documents and ours, one or a list."}
    return {**top, "oneOf": [*one, several]}, dict(sorted(parts.items()))


def _explain(name: str, part: Schema) -> None:
    """Give each field its text."""
    part.pop("title", None)
    for field, schema in part.get("properties", {}).items():
        text = TEXTS.get(f"{name}.{field}") or TEXTS.get(field)
        if text:
            schema["description"] = text
