"""`servicelevel schema`: JSON Schemas of events and definitions, and the AsyncAPI document."""

from typing import Annotated

import orjson
import typer

from servicelevel.entrypoints.cli.session import session_of
from servicelevel.errors import UsageError


def schema(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Of which event, or of `definitions`; without, the names.")
    ] = None,
    asyncapi: Annotated[bool, typer.Option("--asyncapi", help="The AsyncAPI document.")] = False,
) -> None:
    """Print the JSON Schema of an event or of definitions, or all topics as AsyncAPI 3."""
    from servicelevel.schemas.reference import asyncapi_document, json_schemas

    session = session_of(context)
    schemas = json_schemas()
    if asyncapi:
        session.print(_pretty(asyncapi_document()))
    elif name is None:
        for known in schemas:
            session.print(known)
    elif name in schemas:
        session.print(_pretty(schemas[name]))
    else:
        raise UsageError(f"there is no schema `{name}`: choose of {', '.join(schemas)}")


def _pretty(document: object) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
