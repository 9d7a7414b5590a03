"""The first definitions of a service: a template that ships with us, filled in and written."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from servicelevel.errors import DependencyError, UsageError

TEMPLATE = "first_definitions.yaml"
_SERVICE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,47}[a-z0-9])?")  # names of SLOs add to it, up to 63


def first_definitions(service: str) -> str:
    """Commented OpenSLO documents for a service. Raises UsageError for what is no name."""
    if not _SERVICE.fullmatch(service):
        raise UsageError(
            f"`{service}` cannot name a service here: write 1 to 49 of a-z, 0-9 and '-', with a "
            "letter or digit at both ends"
        )
    text = (files("servicelevel") / "policies" / TEMPLATE).read_text(encoding="utf-8")
    return Template(text).substitute(service=service)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises UsageError where something is there already, DependencyError where it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already: name another file, or remove it") from None
    except OSError as error:
        raise DependencyError(f"{path}: cannot be written: {error.strerror}") from error
