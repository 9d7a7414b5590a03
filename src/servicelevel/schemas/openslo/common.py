"""What all OpenSLO v1 documents share: strictness, names, durations, exact numbers.

Nothing is coerced: `name: 123` and `target: "0.99"` are refused. The validation context
`{"lenient": True}` accepts what OpenSLO's own examples do beyond its SDK.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

API_VERSION = "openslo/v1"
MAX_DISPLAY_NAME = 63

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY = re.compile(r"[a-zA-Z0-9](?:[-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_ANNOTATION_PREFIX = re.compile(
    r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*"
)
_DURATION = re.compile(r"([0-9]{1,7})([smhdwMQY])")
_UNITS_MS = {
    "s": SECOND_MS,
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "M": 30 * DAY_MS,
    "Q": 90 * DAY_MS,
    "Y": 365 * DAY_MS,
}


def problem(rule: str, message: str, field: str | None = None) -> PydanticCustomError:
    """An error of our own wording, about the field of that (YAML) name where one is given."""
    return PydanticCustomError(
        "definition", "{message}", {"rule": rule, "message": message, "field": field}
    )


def is_lenient(info: ValidationInfo) -> bool:
    """Whether the caller accepts what OpenSLO's examples do beyond its SDK."""
    return bool((info.context or {}).get("lenient"))


def pattern_of(expression: re.Pattern[str]) -> Any:
    """What a JSON Schema says of text that must match the whole expression."""
    return Field(json_schema_extra={"pattern": f"^(?:{expression.pattern})$"})


def choice_of(*forms: tuple[str, ...]) -> ConfigDict:
    """What a JSON Schema says of a model that takes the fields of exactly one of these forms."""
    return ConfigDict(json_schema_extra={"oneOf": [{"required": list(form)} for form in forms]})


class StrictModel(BaseModel):
    """No coercion, no unknown fields, names as OpenSLO writes them."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


class Duration(NamedTuple):
    """A duration and how it was written; a month is 30 days, a quarter 90, a year 365."""

    text: str
    ms: int


def _duration(units: str, *, zero: bool) -> PlainValidator:
    def parse(value: Any) -> Duration:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None or match[2] not in units:
            raise problem(
                "openslo/duration",
                f"must be a whole number and one of the units {', '.join(units)} "
                "(M is months, m is minutes): write 5m, 1h or 30d",
            )
        ms = int(match[1]) * _UNITS_MS[match[2]]
        if ms == 0 and not zero:
            raise problem("openslo/duration", "must be longer than zero: write 5m, 1h or 30d")
        return Duration(match[0], ms)

    written = Annotated[str, pattern_of(re.compile(f"[0-9]{{1,7}}[{units}]"))]
    return PlainValidator(parse, json_schema_input_type=written)


WindowDuration = Annotated[Duration, _duration("mhdwMQY", zero=False)]
DelayDuration = Annotated[Duration, _duration("mhdwMQY", zero=True)]
PaneDuration = Annotated[Duration, _duration("smhdwMQY", zero=False)]


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
"""Exact: the digits as written."""


def _name(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise problem(
            "openslo/name",
            "must be a DNS label: 1 to 63 of a-z, 0-9 and '-', with a letter or digit at both "
            "ends: write for example checkout-availability",
        )
    return value


Name = Annotated[str, AfterValidator(_name), pattern_of(_LABEL)]
NonEmpty = Annotated[str, Field(min_length=1)]
Description = Annotated[str, Field(max_length=1050)]
Operator = Literal["lte", "gte", "lt", "gt"]


def _labels(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: v if isinstance(v, list) else [v] for k, v in value.items()}
    return value


def _label_keys(value: dict[str, list[str]]) -> dict[str, list[str]]:
    for key in value:
        if not _LABEL_KEY.fullmatch(key):
            raise problem(
                "openslo/label",
                "a label's key must be 1 to 63 of letters, digits, '-', '_' and '.', with a "
                "letter or digit at both ends",
                key,
            )
    return value


def _annotation_keys(value: dict[str, str]) -> dict[str, str]:
    for key in value:
        prefix, slash, name = key.rpartition("/")
        prefix_ok = not slash or (len(prefix) <= 253 and _ANNOTATION_PREFIX.fullmatch(prefix))
        if not (prefix_ok and _LABEL_KEY.fullmatch(name)):
            raise problem(
                "openslo/annotation",
                "an annotation's key must be a name, or a domain, '/' and a name: write for "
                "example my-domain.org/my-key",
                key,
            )
    return value


def _display_name(value: str, info: ValidationInfo) -> str:
    if len(value) > MAX_DISPLAY_NAME and not is_lenient(info):
        raise problem("openslo/display-name", f"must have at most {MAX_DISPLAY_NAME} characters")
    return value


class Metadata(StrictModel):
    """Who a document is."""

    name: Name
    display_name: Annotated[
        str, AfterValidator(_display_name), Field(json_schema_extra={"maxLength": MAX_DISPLAY_NAME})
    ] = ""
    labels: Annotated[
        dict[str, list[str]],
        BeforeValidator(_labels, json_schema_input_type=dict[str, str | list[str]]),
        AfterValidator(_label_keys),
    ] = Field(default_factory=dict)
    annotations: Annotated[dict[str, str], AfterValidator(_annotation_keys)] = Field(
        default_factory=dict
    )


class Document(StrictModel):
    """What every kind has."""

    api_version: Literal["openslo/v1"]
    metadata: Metadata


def lenient_only(value: Any, info: ValidationInfo) -> Any:
    """For what an inline document does not repeat, and OpenSLO's examples sometimes do."""
    if value is not None and not is_lenient(info):
        name = to_camel(info.field_name or "")
        message = f"an inline document has no {name} of its own: remove it"
        raise problem("openslo/unknown-field", message)
    return value


InlineVersion = Annotated[Literal["openslo/v1"] | None, AfterValidator(lenient_only)]


def exactly_one(model: BaseModel, *fields: str) -> None:
    """Raise unless one, and only one, of the fields (as OpenSLO names them) was given."""
    given = [f for f in fields if f in _given(model)]
    if len(given) != 1:
        names = " or ".join(fields)
        none = "neither is there" if len(fields) == 2 else "none of them is there"
        extra = f", not {' and '.join(given)} together" if given else f", {none}"
        raise problem("openslo/one-of", f"give {names}{extra}", given[1] if given else None)


def _given(model: BaseModel) -> set[str]:
    return {to_camel(name) for name in model.model_fields_set if getattr(model, name) is not None}
