"""The file of alert tiers: `policies/alert_tiers.yaml`, or one of the user's own."""

from fractions import Fraction
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
    """The tiers that were published for a period, and where."""

    period: WindowDuration
    source: NonEmpty
    tiers: Annotated[list[Tier], Field(min_length=1)]

    def factor(self, tier: Tier) -> Fraction:
        """The burn rate that spends the tier's share of the period's budget in the long window.

        SRE Workbook, chapter 5: share · period / window.
        """
        return Fraction(tier.budget) * self.period.ms / tier.long.ms


class AlertTiers(StrictModel):
    """Sets of tiers, one for each period."""

    periods: Annotated[list[TierSet], Field(min_length=1)]

    def nearest(self, window_ms: int) -> TierSet:
        """The set whose period differs by the smallest ratio; of two, that of the shorter."""

        def distance(each: TierSet) -> tuple[Fraction, int]:
            ratio = Fraction(each.period.ms, window_ms)
            return max(ratio, 1 / ratio), each.period.ms

        return min(self.periods, key=distance)
