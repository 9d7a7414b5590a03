"""When a warning is due: conditions over windows, and rules that say how loud they are.

Formulae: Google SRE Workbook, chapter 5 «Alerting on SLOs».
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from servicelevel.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class BurnRate:
    """The burn rate over the window `over_ms` is greater than `factor`.

    With `weighted`, it is the one that the same bad events would make at the SLO window's mean
    traffic: `bad / (mean events of such a window · (1 − T))`. A quiet hour then weighs less.
    """

    over_ms: int
    factor: Fraction
    weighted: bool = False


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """More than this share (0.9 is 9/10) of the window's error budget is spent."""

    above: Fraction


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """At the pace of the window `over_ms`, the budget is spent within `within_ms`.

    The pace is known from so many events only: the condition holds when even the slowest pace in
    the Wilson interval at `z` standard deviations spends it in that time.
    """

    within_ms: int
    over_ms: int
    z: float = 1.959963984540054  # 95 %, both sides


@dataclass(frozen=True, slots=True)
class NoData:
    """No event came in the last `for_ms`."""

    for_ms: int


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: "tuple[Condition, ...]"


Leaf = BurnRate | BudgetSpent | Exhaustion | NoData
Condition = Leaf | All | AnyOf


@dataclass(frozen=True, slots=True)
class LowTraffic:
    """What becomes of a rule where its longest window has few events or failures.

    With fewer than `min_events` events, or fewer than `min_failures` bad ones, the rule has
    `severity` instead of its own, or does not hold (None).
    """

    min_events: int = 0
    min_failures: int = 0
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and how loud it is; `name` is unique within its objective ("1h/5m").

    It holds once its condition has held for `after_ms` without a break. Then it goes on holding
    until the condition, with burn-rate factors multiplied by `clear_ratio` (0 < ratio ≤ 1), has
    not held for `clear_after_ms`.
    """

    name: str
    condition: Condition
    severity: Severity
    after_ms: int = 0
    clear_ratio: Fraction = Fraction(1)
    clear_after_ms: int = 0
    low_traffic: LowTraffic | None = None

    @property
    def windows_ms(self) -> tuple[int, ...]:
        """The lengths of the windows that its burn rates and forecasts look at, longest first."""
        timed = (leaf for leaf in leaves(self.condition) if isinstance(leaf, BurnRate | Exhaustion))
        return tuple(sorted({leaf.over_ms for leaf in timed}, reverse=True))

    @property
    def is_plain(self) -> bool:
        """Whether it holds as its condition does, at once."""
        return not (self.after_ms or self.clear_after_ms or self.clear_ratio != 1)


def pair(name: str, long_ms: int, short_ms: int, factor: Fraction, severity: Severity) -> Rule:
    """The rule of the SRE Workbook: the burn rates over both windows exceed the factor."""
    parts = (BurnRate(long_ms, factor), BurnRate(short_ms, factor))
    return Rule(name, All(parts), severity)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """All conditions within it that are no composition, from left to right."""
    if isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition
