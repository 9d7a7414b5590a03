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


class AlertTiers(StrictModel):
    """Sets of tiers, one for each period."""

    periods: Annotated[list[TierSet], Field(min_length=1)]

    def nearest(self, window_ms: int) -> TierSet:
        """The set whose period differs by the smallest ratio; of two, that of the shorter."""

        def distance(each: TierSet) -> tuple[Fraction, int]:
            ratio = Fraction(each.period.ms, window_ms)
            return max(ratio, 1 / ratio), each.period.ms

        return min(self.periods, key=distance)

    def factor(self, tier: Tier, window_ms: int) -> Fraction:
        """The burn rate above which a tier of the nearest set warns, for an SLO window.

        It spends the tier's share of the set's period in the long window: `share · period / long`
        (SRE Workbook, chapter 5). In a window shorter than all periods it spends that share of the
        window, and is at least 1: at 1 the budget just lasts.
        """
        share, shortest_ms = Fraction(tier.budget), min(each.period.ms for each in self.periods)
        if window_ms < shortest_ms:
            return max(Fraction(1), share * window_ms / tier.long.ms)
        return share * self.nearest(window_ms).period.ms / tier.long.ms
