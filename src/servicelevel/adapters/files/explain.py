"""Validates a value against a schema and says, in the author's words, what to write instead."""

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from servicelevel.adapters.files.findings import Report, Site

ModelT = TypeVar("ModelT", bound=BaseModel)

FREE_FORM = frozenset({("spec", "connectionDetails"), ("metricSource", "spec")})
"""Parents and fields whose content is judged elsewhere or not at all; the former is secret."""

MAY_BE_EMPTY = frozenset(
    {(None, "spec"), ("spec", "alertPolicies"), ("metadata", "labels"), ("metadata", "annotations")}
)
"""Parents and fields that may stand without a value: `alertPolicies:` is a list of none."""

MAX_PROBLEMS = 100
"""Of one document; whoever wrote it has enough to do."""


def validated(
    model: type[ModelT], value: Any, site: Site, report: Report, *, lenient: bool
) -> ModelT | None:
    """The model, or None after reporting every reason why it is none."""
    nulls: list[tuple[str | int, ...]] = []
    value = _without_nulls(value, (), nulls)
    if not lenient:
        for path in nulls[:MAX_PROBLEMS]:
            message = f"`{brief(path[-1])}` is empty: give it a value, or remove it"
            report.error(site.at(*path), "openslo/empty", message, of_key=True)
    try:
        result = model.model_validate(value, context={"lenient": lenient})
    except ValidationError as error:
        known = set(nulls)
        details = [d for d in error.errors(include_url=False) if (*d["loc"],) not in known]
        for detail in details[:MAX_PROBLEMS]:
            _tell(detail, model, site, report)
        if len(details) > MAX_PROBLEMS:
            message = f"{len(details) - MAX_PROBLEMS} more problems: correct the others first"
            report.error(site, "openslo/more", message)
        return None
    return None if nulls and not lenient else result


def _without_nulls(value: Any, path: tuple[str | int, ...], found: list[Any]) -> Any:
    """The value without fields that are null; their paths are added to `found`."""
    if isinstance(value, Mapping):
        result = {}
        for key, inner in value.items():
            place = (path[-1] if path else None, key)
            if inner is None:
                if place not in MAY_BE_EMPTY:
                    found.append((*path, key))
            else:
                free = place in FREE_FORM
                result[key] = inner if free else _without_nulls(inner, (*path, key), found)
        return result
    if isinstance(value, list):
        return [_without_nulls(v, (*path, i), found) for i, v in enumerate(value)]
    return value


def _tell(detail: ErrorDetails, model: type[BaseModel], site: Site, report: Report) -> None:
    """One error of pydantic's as a finding."""
    where = site.at(*detail["loc"])
    keys = (key for key in reversed(detail["loc"]) if isinstance(key, str))
    name = brief(next(keys, "document"))
    context = detail.get("ctx") or {}
    match detail["type"]:
        case "definition":
            field = context["field"]
            if field is not None:
                where, name = where.at(field), brief(field)
            message = str(context["message"])
            report.error(where, str(context["rule"]), _sentence(name, message), of_key=False)
        case "extra_forbidden":
            close = get_close_matches(name, _field_names(model), n=1, cutoff=0.7)
            hint = f"write `{close[0]}`" if close else "remove it"
            message = f"there is no field `{name}` here: {hint}"
            report.error(where, "openslo/unknown-field", message, of_key=True)
        case "missing":
            report.error(where, "openslo/required", f"`{name}` is required: add it", of_key=True)
        case kind:
            message = f"`{name}` {_expectation(kind, context, detail['input'])}"
            report.error(where, _RULES.get(kind, "openslo/type"), message)


_RULES = {
    "literal_error": "openslo/choice",
    "enum": "openslo/choice",
    "greater_than_equal": "openslo/range",
    "less_than_equal": "openslo/range",
    "string_too_long": "openslo/length",
    "string_too_short": "openslo/length",
    "too_short": "openslo/length",
    "too_long": "openslo/length",
}


def _expectation(kind: str, context: Mapping[str, Any], value: Any) -> str:
    """What the value must be, and how to write it."""
    match kind:
        case "string_type":
            return f"must be text{_quoted(value)}"
        case "bool_type":
            return f"must be true or false{_unquoted(value)}"
        case "is_instance_of" | "decimal_type" | "decimal_parsing" | "float_type":
            return f"must be a number{_unquoted(value)}"
        case "int_type":
            return f"must be a whole number{_unquoted(value)}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}, it is {shown(value)}"
        case "less_than_equal":
            return f"must be at most {context['le']}, it is {shown(value)}"
        case "literal_error" | "enum":
            close = get_close_matches(str(value).lower(), _choices(context), n=1, cutoff=0.6)
            hint = f": write {close[0]}" if close else ""
            return f"must be {context['expected']}, it is {shown(value)}{hint}"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters: shorten it"
        case "string_too_short":
            return "is empty: give it a value"
        case "too_short":
            return f"needs at least {context['min_length']} of its items: add one"
        case "too_long":
            return f"may have at most {context['max_length']} of its items: remove the others"
        case "list_type":
            return "must be a list: begin its items with '- '"
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a mapping of fields, it is {shown(value)}"
        case _:
            return f"cannot be {shown(value)}"


def _choices(context: Mapping[str, Any]) -> list[str]:
    return [part.strip("' ") for part in str(context["expected"]).replace(" or ", ",").split(",")]


def _quoted(value: Any) -> str:
    """How to turn a plain scalar into text."""
    if isinstance(value, bool | int | Decimal):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return f': write "{text}" in quotes'
    return f", it is {shown(value)}"


def _unquoted(value: Any) -> str:
    """How to turn text into the number or truth value it looks like."""
    if not isinstance(value, str):
        return f", it is {shown(value)}"
    if value.lower() in ("true", "yes", "on", "false", "no", "off"):
        truth = value.lower() in ("true", "yes", "on")
        return f": write {str(truth).lower()} without quotes"
    try:
        Decimal(value)
    except ArithmeticError:
        return f", it is {shown(value)}"
    return f": write {value.strip()} without quotes"


def shown(value: Any) -> str:
    """A value as a message may show it: short, on one line."""
    match value:
        case Mapping():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            text = value if len(value) <= 40 else value[:39] + "…"
            return repr(text)
        case _:
            return str(value)


def brief(name: str | int) -> str:
    """A name as a message may show it, however long it is."""
    text = str(name)
    return text if len(text) <= 60 else text[:59] + "…"


def _field_names(model: type[BaseModel]) -> set[str]:
    """The YAML names of the fields of a model and of all models inside it."""
    names: set[str] = set()
    todo: list[Any] = [model]
    seen: set[Any] = set()
    while todo:
        item = todo.pop()
        if isinstance(item, type) and issubclass(item, BaseModel) and item not in seen:
            seen.add(item)
            for name, info in item.model_fields.items():
                names.add(info.alias or name)
                todo.append(info.annotation)
        else:
            todo.extend(getattr(item, "__args__", ()))
    return names


def _sentence(name: str, message: str) -> str:
    """`name` and a message that begins with a verb; other messages speak for themselves."""
    begins_with_verb = message.startswith(("must ", "is ", "has ", "names ", "says "))
    return f"`{name}` {message}" if begins_with_verb else message
