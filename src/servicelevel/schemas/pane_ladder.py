"""The file of the pane ladder: `policies/pane_ladder.yaml`."""

from typing import Annotated

from pydantic import Field

from servicelevel.schemas.openslo.common import NonEmpty, PaneDuration, StrictModel


class LadderRung(StrictModel):
    """Panes up to the age `until` are kept at `resolution`."""

    until: PaneDuration
    resolution: PaneDuration


class PaneLadder(StrictModel):
    """Rungs from young to old, and where their numbers come from."""

    source: NonEmpty
    rungs: Annotated[list[LadderRung], Field(min_length=1)]
