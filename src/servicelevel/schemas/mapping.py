"""The source mapping document: how events of another shape become ours."""

import re
from typing import Annotated, Any, Literal, Self

import msgspec.structs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from servicelevel.domain.model import EventKind
from servicelevel.schemas.events import EVENT_TYPES
from servicelevel.schemas.paths import compile_path

Scalar = str | int | float | bool
DurationUnit = Literal["s", "ms", "us", "ns"]
TIME_FIELDS = ("time", "ends_at")
TIME_FORMATS = ("rfc3339", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns")
SLOT = re.compile(r"\{([^{}]+)\}")
"""A path inside a template."""
RECORD = "record"
"""The name of the whole record in the paths of a mapping that unrolls."""
MAX_LEVELS = 8


def _compiles(path: str) -> str:
    compile_path(path)
    return path


def _fills(template: str) -> str:
    text, paths = SLOT.sub("", template), SLOT.findall(template)
    if "{" in text or "}" in text:
        raise ValueError(f"{template!r} has a brace too many or too few")
    for path in paths:
        _compiles(path)
    return template


def _is_time_format(format_: str) -> str:
    if format_ not in TIME_FORMATS and "%" not in format_:
        known = ", ".join(TIME_FORMATS)
        raise ValueError(f"{format_!r} is none of {known}, and no strptime text such as `%d/%b/%Y`")
    return format_


def _shorthand(raw: Any) -> Any:
    return {"path": raw} if isinstance(raw, str) else raw


Path = Annotated[str, AfterValidator(_compiles)]
Level = Annotated[str, Field(min_length=1)]
Template = Annotated[str, AfterValidator(_fills)]
TimeFormat = Annotated[str, AfterValidator(_is_time_format)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FieldMapping(_Model):
    """Where one field comes from. A text alone is short for `path`."""

    path: Path | None = Field(None, description="JMESPath into the record, such as `a.b[0]`.")
    value: Scalar | None = Field(None, description="The same for every event.")
    template: Template | None = Field(None, description="Text with paths: `{method} {uri}`.")
    default: Scalar | None = Field(None, description="Taken where the record has nothing.")
    unit: DurationUnit | None = Field(None, description="Of a duration; milliseconds if not said.")
    format: TimeFormat | None = Field(
        None,
        description="Of a time: `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or what "
        "`strptime` understands (UTC where it has no `%z`). Not said: RFC 3339 or epoch ms.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.path, self.value, self.template)) != 1:
            raise ValueError("say exactly one of `path`, `value` and `template`")
        return self


Mapped = Annotated[FieldMapping, BeforeValidator(_shorthand)]


class Selection(_Model):
    """What becomes an event: where the path has one of the values."""

    path: Path = Field(description="As that of a field.")
    values: list[Scalar] = Field(min_length=1, description="All else is passed over.")


class Metadata(_Model):
    """What the mapping is called."""

    name: str = Field(min_length=1)
    description: str = ""


class MappingSpec(_Model):
    """The event's fields and attributes, each with where it comes from."""

    event: EventKind = "request"
    invalid_utf8: Literal["refuse", "replace"] = Field(
        "refuse", description="`replace` reads broken UTF-8 as U+FFFD, for logs of foreign input."
    )
    unroll: list[Level] = Field(
        default_factory=list,
        max_length=MAX_LEVELS,
        description="Lists within lists, by name from the outside in: each object of the "
        "innermost is an event, `record` the whole, and the others go by the names of their lists.",
    )
    select: Selection | None = Field(None, description="Not said: everything is an event.")
    fields: dict[str, Mapped]
    attributes: dict[str, Mapped] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_fields(self) -> Self:
        known = set(EVENT_TYPES[self.event].__struct_fields__) - {"attributes"}
        if unknown := sorted(set(self.fields) - known):
            raise ValueError(
                f"{self.event} events have no field {', '.join(unknown)}; "
                f"they have {', '.join(sorted(known))}"
            )
        required = {"service", "time", *required_fields(self.event)}
        if missing := sorted(required - set(self.fields)):
            raise ValueError(f"no mapping for the required field {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _levels_apart(self) -> Self:
        if len({RECORD, *self.unroll}) <= len(self.unroll):
            raise ValueError(f"`unroll` has a name twice, or `{RECORD}`, which is the record's")
        return self

    @model_validator(mode="after")
    def _fitting_units(self) -> Self:
        everything = {**self.fields, **{f"attributes.{k}": v for k, v in self.attributes.items()}}
        for name, mapped in everything.items():
            if mapped.unit is not None and name != "duration_ms":
                raise ValueError(f"{name}: `unit` is for duration_ms only")
            if mapped.format is not None and name not in TIME_FIELDS:
                raise ValueError(f"{name}: `format` is for times only")
        return self


class SourceMappingDocument(_Model):
    """One YAML document of kind `SourceMapping`."""

    apiVersion: Literal["servicelevel/v1"]  # noqa: N815  # OpenSLO's spelling
    kind: Literal["SourceMapping"]
    metadata: Metadata
    spec: MappingSpec


def required_fields(kind: EventKind) -> tuple[str, ...]:
    """The fields without which an event of this kind is refused, but for its time."""
    fields = msgspec.structs.fields(EVENT_TYPES[kind])
    return tuple(field.name for field in fields if field.required)
