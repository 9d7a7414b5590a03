"""The file of alert tiers: `policies/alert_tiers.yaml`, or one of the user's own."""

from decimal import Decimal
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


class TierSet(StrictModel):
    """Tiers for periods from a length on, and where their numbers come from."""

    from_: Annotated[WindowDuration, Field(alias="from")]
    least: Number = Decimal(0)
    source: NonEmpty
    tiers: Annotated[list[Tier], Field(min_length=1)]


class AlertTiers(StrictModel):
    """Sets of tiers, from short periods to long ones."""

    sets: Annotated[list[TierSet], Field(min_length=1)]

    def for_period(self, period_ms: int) -> TierSet:
        """The set for an SLO window of this length."""
        fitting = [each for each in self.sets if each.from_.ms <= period_ms]
        return max(fitting or self.sets[:1], key=lambda each: each.from_.ms)
