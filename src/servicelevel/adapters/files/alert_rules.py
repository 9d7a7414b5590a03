"""The rules of an objective: those of its alert policies, or the default tiers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from servicelevel.adapters.files.alert_tiers import tier_rules
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.rule_names import in_order
from servicelevel.domain.rules import (
    BudgetSpent,
    BurnRate,
    Exhaustion,
    Leaf,
    NoData,
    Rule,
    leaves,
)
from servicelevel.domain.time import duration_text
from servicelevel.schemas.alert_tiers import AlertTiers


@dataclass(frozen=True, slots=True)
class Judged:
    """What rules are to hold for: an objective, or a composite; `site` is that of its target."""

    target: Fraction
    window_ms: int
    pane_ms: int  # windows are whole panes
    slice_ms: int  # and no shorter than a slice; 0 without slices
    site: Site

    @property
    def step_ms(self) -> int:
        """Windows that are made, rather than written, are multiples of it."""
        return max(self.pane_ms, self.slice_ms)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the numbers of a leaf were written."""

    window: Site
    level: Site


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as written, and where each of its leaves was, from left to right."""

    rule: Rule
    places: tuple[Place, ...]


MAX_RULES = 64
"""Of one objective: each is looked at for each pane."""

Wanted = Callable[[Judged], Draft]
"""A rule of a policy, whose derived windows depend on what it is to judge."""


def objective_rules(
    wanted: Sequence[Wanted] | None, tiers: AlertTiers, judged: Judged, report: Report
) -> tuple[Rule, ...] | None:
    """The rules of the policies, or with None of the tiers.

    Default rules that can never hold are left out with a warning; of a policy such a rule is an
    error, and None is returned.
    """
    if wanted is None:
        return _default_rules(tiers, judged, report)
    if len(wanted) > MAX_RULES:
        message = f"has {len(wanted)} rules, more than {MAX_RULES}: name fewer alert policies"
        report.refuse(judged.site, "unsupported/rules", message)
        return None
    drafts = [make(judged) for make in wanted]
    problems = sum(_check(draft, judged, report) for draft in drafts)
    return None if problems else in_order(draft.rule for draft in drafts)


def _default_rules(tiers: AlertTiers, judged: Judged, report: Report) -> tuple[Rule, ...]:
    rules = tier_rules(tiers, judged.window_ms, judged.step_ms)
    if not rules:
        message = "the SLO's window is too short for all default rules: write alertPolicies"
        report.warn(judged.site, "servicelevel/no-rules", message)
    never = {rule: wrong for rule in rules if (wrong := _never(rule, judged))}
    if never:
        said = "; ".join(f"{rule.name}: {problem}" for rule, problem in never.items())
        message = f"default rules left out, as even total failure cannot fire them: {said}"
        report.warn(judged.site, "servicelevel/never-fires", message)
    return tuple(rule for rule in rules if rule not in never)


def _never(rule: Rule, judged: Judged) -> str:
    return next(filter(None, (_level_problem(leaf, judged) for leaf in leaves(rule.condition))), "")


def _check(draft: Draft, judged: Judged, report: Report) -> int:
    """Reports what keeps a rule from ever holding; returns how much."""
    problems = 0
    for leaf, place in zip(leaves(draft.rule.condition), draft.places, strict=True):
        if wrong := _window_problem(leaf, judged):
            report.refuse(place.window, "unsupported/window", wrong)
            problems += 1
        if wrong := _level_problem(leaf, judged):
            target = f"the target at {judged.site.file}:{judged.site.position().line}"
            most = _decimal(1 / (1 - judged.target))
            message = f"can never fire for {target}: {wrong}; write a number below {most}"
            report.error(place.level, "servicelevel/never-fires", message)
            problems += 1
    return problems


def _window_problem(leaf: Leaf, judged: Judged) -> str:
    """What is wrong with the windows that a leaf looks at."""
    match leaf:
        case BurnRate(over_ms=length) | Exhaustion(over_ms=length):
            smallest, what = judged.slice_ms, "a slice"
        case NoData(for_ms=length):
            smallest, what = 0, ""
        case BudgetSpent():
            return ""
    text, pane = duration_text(length), duration_text(judged.pane_ms)
    too_long = f"is longer than the SLO's window: write at most {duration_text(judged.window_ms)}"
    if length > judged.window_ms:
        return f"{text} {too_long}"
    if length < smallest:
        return f"{text} is shorter than {what}: write at least {duration_text(smallest)}"
    if length % judged.pane_ms:
        return f"{text} is no multiple of the pane {pane}: write a multiple of it"
    if isinstance(leaf, Exhaustion) and leaf.within_ms > judged.window_ms:
        return f"{duration_text(leaf.within_ms)} {too_long}"
    return ""


def _level_problem(leaf: Leaf, judged: Judged) -> str:
    """Why not even total failure exceeds a leaf's number; empty if it does.

    All events bad is a burn rate of `1 / (1 − T)`, which in a whole window spends that many
    budgets. A weighted burn rate has no such bound, since traffic may be above its mean.
    """
    match leaf:
        case BurnRate(factor=level, weighted=False) | BudgetSpent(above=level):
            return _arithmetic(level, judged.target) if level * (1 - judged.target) >= 1 else ""
        case _:
            return ""


def _arithmetic(level: Fraction, target: Fraction) -> str:
    product = level * (1 - target)
    return f"{_decimal(level)} * (1 - {_decimal(target)}) = {_decimal(product)}, not below 1"


def _decimal(number: Fraction) -> str:
    return f"{float(number):.6g}"
