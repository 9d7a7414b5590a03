"""The file of alert tiers: `policies/alert_tiers.yaml`, or one of the user's own."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

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
    """The tiers of SLOs whose window is of about this length, and where their numbers come from."""

    period: WindowDuration
    source: NonEmpty
    tiers: Annotated[list[Tier], Field(min_length=1)]


def _different(value: list[TierSet]) -> list[TierSet]:
    if len({each.period.ms for each in value}) != len(value):
        raise problem("tiers/period", "names a period twice: remove one", "periods")
    return value


class AlertTiers(StrictModel):
    """Sets of tiers, one for each period."""

    periods: Annotated[list[TierSet], Field(min_length=1), AfterValidator(_different)]
