"""The file of alert tiers: `policies/alert_tiers.yaml`, or one of the user's own."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from servicelevel.schemas.openslo.common import (
    NonEmpty,
    Number,
    StrictModel,
    WindowDuration,
    problem,
)


class Tier(StrictModel):
    """Warns when `budget` (a share) of an SLO's error budget is spent within the long window."""

    long: WindowDuration
    short: WindowDuration
    budget: Number
    severity: Literal["page", "ticket", "info"]

    @model_validator(mode="after")
    def _sensible(self) -> "Tier":
        if self.short.ms >= self.long.ms:
            raise problem("tiers/windows", "must be shorter than long", "short")
        if not 0 < self.budget <= 1:
            raise problem("tiers/budget", "must be above 0 and at most 1", "budget")
        return self


class AlertTiers(StrictModel):
    """Tiers and where their numbers come from."""

    source: NonEmpty
    tiers: Annotated[list[Tier], Field(min_length=1)]
