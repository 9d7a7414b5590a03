"""The pane ladder that ships with the package."""

from importlib.resources import files

from servicelevel.adapters.files.yaml_nodes import read_yaml
from servicelevel.domain.ladder import Ladder, Rung
from servicelevel.errors import DefinitionError
from servicelevel.schemas.pane_ladder import PaneLadder

NAME = "pane_ladder.yaml"


def shipped_ladder() -> Ladder:
    """Reads `policies/pane_ladder.yaml`."""
    text = (files("servicelevel") / "policies" / NAME).read_text(encoding="utf-8")
    return parse_ladder(text)


def parse_ladder(text: str) -> Ladder:
    """The ladder that a YAML text describes. Raises DefinitionError."""
    documents, problems = read_yaml(text)
    if problems or len(documents) != 1:
        raise DefinitionError(f"{NAME}: cannot be read: {problems}")
    try:
        rungs = PaneLadder.model_validate(documents[0].value).rungs
        return Ladder(tuple(Rung(rung.until.ms, rung.resolution.ms) for rung in rungs))
    except ValueError as error:
        raise DefinitionError(f"{NAME}: {error}") from error
