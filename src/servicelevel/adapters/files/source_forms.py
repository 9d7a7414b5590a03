"""What an SLI is, once read: the forms that objectives can be made of."""

from dataclasses import dataclass
from fractions import Fraction

from servicelevel.schemas.openslo.source import ServicelevelSource


@dataclass(frozen=True, slots=True)
class Ratio:
    """Good events among all."""

    source: ServicelevelSource
    good: str


@dataclass(frozen=True, slots=True)
class Value:
    """A field that each objective compares with its own value."""

    source: ServicelevelSource
    field: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in each interval, which each objective compares with its own value."""

    source: ServicelevelSource
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Percentile:
    """A field's percentile in each interval, which each objective compares with its own value."""

    source: ServicelevelSource
    field: str
    share: Fraction  # 0.99 for p99
    interval_ms: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """Valid, and not for us to evaluate: `reason` says why; None where that is reported."""

    reason: str | None
    is_threshold: bool


Own = Ratio | Value | Rate | Percentile
Form = Own | Foreign
