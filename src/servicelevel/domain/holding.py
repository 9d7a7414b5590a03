"""Whether a rule holds, over time: how long it must, and when it no longer does.

All transitions of a rule between holding and not are in this file.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from servicelevel.domain.burn import holds
from servicelevel.domain.rules import Rule
from servicelevel.domain.sight import Sight


@dataclass(slots=True)
class Holding:
    """`since_ms` is when the condition began to say otherwise than `active`, without a break."""

    active: bool = False
    since_ms: int | None = None

    def update(self, rule: Rule, sight: Sight, target: Fraction) -> bool:
        """Take in what is seen at `sight.at_ms`, which never goes back; whether the rule holds."""
        said = holds(rule.condition, sight, target, self._ratio(rule))
        if said == self.active:
            self.since_ms = None
        else:
            self.since_ms = sight.at_ms if self.since_ms is None else self.since_ms
            if sight.at_ms - self.since_ms >= self._delay_ms(rule):
                self.active, self.since_ms = said, None
        return self.active

    def expects(self, rule: Rule, sight: Sight, target: Fraction) -> bool:
        """Whether the rule would hold at a later time, without taking it in."""
        if self.active:
            return True
        since_ms = sight.at_ms if self.since_ms is None else self.since_ms
        return sight.at_ms - since_ms >= rule.after_ms and holds(rule.condition, sight, target)

    def wake_ms(self, rule: Rule) -> int | None:
        """When it changes if all stays as it is."""
        return None if self.since_ms is None else self.since_ms + self._delay_ms(rule)

    def _ratio(self, rule: Rule) -> Fraction | None:
        return rule.clear_ratio if self.active else None

    def _delay_ms(self, rule: Rule) -> int:
        return rule.clear_after_ms if self.active else rule.after_ms

    def dump(self) -> list[Any]:
        """As plain JSON values; `load` reads it."""
        return [int(self.active), self.since_ms]

    @classmethod
    def load(cls, raw: list[Any]) -> "Holding":
        """Read what `dump` wrote."""
        return cls(bool(raw[0]), raw[1])
