"""Names of rules: what they look at, as people say it, and each name once."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from servicelevel.domain.rules import (
    All,
    AnyOf,
    BudgetSpent,
    BurnRate,
    Condition,
    Exhaustion,
    NoData,
    Rule,
    leaves,
)
from servicelevel.domain.time import duration_text

MAX_NAME = 63


def condition_name(condition: Condition) -> str:
    """What it looks at: "1h/5m", "budget>75%", "exhaustion 3d", "no-data 10m"."""
    match condition:
        case BurnRate(over, _, weighted):
            return f"{duration_text(over)}{' weighted' if weighted else ''}"
        case BudgetSpent(above):
            return f"budget>{float(above * 100):.6g}%"
        case Exhaustion(within):
            return f"exhaustion {duration_text(within)}"
        case NoData(for_ms):
            return f"no-data {duration_text(for_ms)}"
        case All(parts):
            burns = [part for part in parts if isinstance(part, BurnRate)]
            if len(burns) == len(parts) and len({(b.factor, b.weighted) for b in burns}) == 1:
                windows = "/".join(duration_text(b.over_ms) for b in burns)
                return f"{windows}{' weighted' if burns[0].weighted else ''}"
            return " & ".join(_bracketed(part) for part in parts)
        case AnyOf(parts):
            return " | ".join(_bracketed(part) for part in parts)


def _bracketed(part: Condition) -> str:
    name = condition_name(part)
    return f"({name})" if " & " in name or " | " in name else name


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Loudest first, then by longest window; of one name, the later carry their factor in it."""
    named: dict[str, Rule] = {}
    for rule in dict.fromkeys(sorted(rules, key=_loudness)):
        name = rule.name
        if name in named and (factors := _factors(rule)):
            name = f"{rule.name}@{float(max(factors)):g}"
        base, number = name, 2
        while name in named:
            name, number = f"{base}-{number}", number + 1
        named[name] = replace(rule, name=name)
    return tuple(named.values())


def _loudness(rule: Rule) -> tuple[object, ...]:
    longest = max(rule.windows_ms, default=0)
    return -rule.severity.rank, not longest, longest, -max(_factors(rule), default=Fraction())


def _factors(rule: Rule) -> list[Fraction]:
    return [leaf.factor for leaf in leaves(rule.condition) if isinstance(leaf, BurnRate)]
