"""What an objective's alerts and budget must be, from all events at once, at every unit's end.

Written for clarity: nothing is remembered from one time to the next but whether rules hold, and no
code is shared with the windows and lenses that it checks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import lcm
from typing import Any

from servicelevel.domain.ladder import Ladder
from servicelevel.domain.model import Objective, Slo
from servicelevel.domain.rules import All as AllOf
from servicelevel.domain.rules import AnyOf, BudgetSpent, BurnRate, NoData, Rule, leaves
from servicelevel.domain.slices import RateSlices, RatioSlices, TimeSlices
from servicelevel.domain.time import MINUTE_MS

Counted = tuple[int, int, int, int]
"""(pane end, good, total, since when it counts)."""
QUARTER = 15 * MINUTE_MS


def up(time_ms: int, step_ms: int) -> int:
    return -(-time_ms // step_ms) * step_ms


@dataclass
class Oracle:
    """Of one SLO with one objective, given the ladder of its panes."""

    slo: Slo
    ladder: Ladder
    cells: Sequence[Counted]
    state: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def objective(self) -> Objective:
        return self.slo.objectives[0]

    @property
    def step(self) -> int:
        slices = self.objective.slices
        return slices.length_ms if slices else self.objective.indicator.pane_ms

    @property
    def begin(self) -> int | None:
        """Empty slices are judged from here on."""
        firsts = [since or end for end, _, _, since in self.cells]
        return up(min(firsts) - self.objective.indicator.pane_ms, self.step) if firsts else None

    def effect(self, end: int) -> str | None:
        found = {c.effect for c in self.slo.corrections if c.from_ms < end <= c.to_ms}
        return "remove" if "remove" in found else "good" if found else None

    def whole_effect(self, unit: int) -> str | None:
        """The effect on a unit that one kind of corrections covers from end to end."""
        quarters = range(up(unit - self.step + 1, QUARTER), up(unit, QUARTER) + 1, QUARTER)
        effects = {self.effect(q) for q in quarters}
        return effects.pop() if len(effects) == 1 else None

    def unit(self, unit: int, at: int) -> tuple[int, int]:
        """(good, total) events of a unit as known at a time, corrected pane by pane."""
        good = total = 0
        for end, g, t, since in self.cells:
            if up(end, self.step) == unit and since <= at:
                effect = self.effect(end)
                if effect != "remove":
                    good += t if effect == "good" else g
                    total += t
        return good, total

    def judged(self, unit: int, at: int) -> tuple[Fraction, int] | None:
        """(good, 1) of a slice, (good, total) of a pane; None where it does not count."""
        good, total = self.unit(unit, at)
        slices, policy = self.objective.slices, self.objective.no_data
        if slices is None:
            return (Fraction(good), total) if total else None
        fills = policy != "ignore" or isinstance(slices, RateSlices)
        if fills and (self.begin is None or unit <= self.begin):
            return None
        whole = self.whole_effect(unit)
        if whole == "remove":
            return None
        if whole == "good":
            return (Fraction(1), 1) if fills or total else None
        if not total:
            if not fills:
                return None
            if policy != "ignore":
                return Fraction(policy == "good"), 1
        match slices:
            case TimeSlices(_, target, strict):
                share = Fraction(good, total)
                return Fraction(share > target if strict else share >= target), 1
            case RatioSlices():
                scale = 10**12
                return Fraction(good * scale // total, scale), 1
            case RateSlices(_, op, value):
                kept = {
                    "gte": total >= value,
                    "gt": total > value,
                    "lte": total <= value,
                    "lt": total < value,
                }
                return Fraction(kept[op]), 1

    def edge(self, at: int, window: int | None) -> int:
        """None is the whole window."""
        if window is None and self.slo.calendar is not None:
            return self.period_begin(at)
        length = self.slo.window_ms if window is None else window
        step = lcm(self.ladder.resolution_ms(length), self.step)
        return (at - length) // step * step

    def period_begin(self, at: int) -> int:
        """Of a calendar of whole days, weeks or months: walks back hour by hour."""
        calendar = self.slo.calendar
        assert calendar is not None
        moment = datetime.fromtimestamp((at - 1) / 1000, UTC)
        while True:
            local = moment.astimezone(calendar.zone)
            midnight = datetime(local.year, local.month, local.day, tzinfo=calendar.zone)
            begins = int(midnight.timestamp() * 1000)
            is_begin = {
                "d": True,
                "w": local.weekday() == calendar.start.weekday(),
                "M": local.day == 1,
            }[calendar.unit]
            if is_begin and begins < at:
                return begins
            moment = datetime.fromtimestamp(begins / 1000, UTC) - timedelta(hours=1)

    def window(
        self, at: int, window: int | None, edge_of: int | None = None
    ) -> tuple[Fraction, int]:
        """(good, total) up to `at`, of the window at `edge_of`, a time within the next unit."""
        after = self.edge(at if edge_of is None else edge_of, window)
        good, total = Fraction(0), 0
        first = after // self.step * self.step + self.step
        units: Iterable[int] = range(first, at + 1, self.step)
        if self.objective.slices is None:  # only those with events count
            units = sorted({up(c[0], self.step) for c in self.cells if first <= c[0] <= at})
        for unit in units:
            judged = self.judged(unit, at)
            if judged is not None:
                good += judged[0]
                total += judged[1]
        policy = self.objective.no_data
        begun = self.begin is not None and any((c[3] or c[0]) <= at for c in self.cells)
        corrected = any(c.from_ms < at and c.to_ms > after for c in self.slo.corrections)
        silent = not total and not corrected and begun
        if silent and self.objective.slices is None and policy != "ignore":
            return Fraction(policy == "good"), 1  # told apart from a real event by `events`
        return good, total

    def events(self, at: int, window: int | None) -> bool:
        """Whether a unit of the window has events, as known then."""
        after = self.edge(at, window)
        return any(
            after // self.step * self.step < up(c[0], self.step) <= at
            and c[3] <= at
            and self.counts_events(up(c[0], self.step), at)
            for c in self.cells
        )

    def counts_events(self, unit: int, at: int) -> bool:
        judged = self.judged(unit, at)
        if judged is None or not self.unit(unit, at)[1]:
            return False
        slices, policy = self.objective.slices, self.objective.no_data
        fills = slices and (policy != "ignore" or isinstance(slices, RateSlices))
        return not (fills and self.whole_effect(unit) == "good")

    def holds(self, condition: Any, at: int, ratio: Fraction) -> bool:
        target = self.objective.target
        match condition:
            case AllOf(parts):
                return all(self.holds(p, at, ratio) for p in parts)
            case AnyOf(parts):
                return any(self.holds(p, at, ratio) for p in parts)
            case BurnRate(over, factor, weighted=False):
                good, total = self.window(at, over)
                return bool(total) and (total - good) / total / (1 - target) > factor * ratio
            case BudgetSpent(above):
                good, total = self.window(at, None)
                allowed = (1 - target) * total
                return self.is_judged(at) and (total - good) / allowed > above
            case NoData(length):
                begun = any((c[3] or c[0]) <= at for c in self.cells)
                edge = self.edge(at, length)
                corrected = any(c.from_ms < at and c.to_ms > edge for c in self.slo.corrections)
                some = any(edge < c[0] <= at and c[3] <= at for c in self.cells)
                return begun and not corrected and not some
        raise AssertionError(condition)

    def is_judged(self, at: int) -> bool:
        _, total = self.window(at, None)
        if self.objective.slices is None and not self.events(at, None):
            return False
        return total * (1 - self.objective.target) >= 1

    def active(self, rule: Rule, at: int) -> bool:
        held = self.state.setdefault(rule.name, [False, None])
        said = self.holds(rule.condition, at, rule.clear_ratio if held[0] else Fraction(1))
        if said == held[0]:
            held[1] = None
        else:
            held[1] = at if held[1] is None else held[1]
            if at - held[1] >= (rule.clear_after_ms if held[0] else rule.after_ms):
                held[0], held[1] = said, None
        return bool(held[0])

    def told(self, first: int, last: int) -> list[tuple[str, str, int, str | None]]:
        """(kind, state, at, rule) of every transition decided in `[first, last]`."""
        found: list[tuple[str, str, int, str | None]] = []
        severity, breached = 0, False
        for at in range(up(first, self.step), last + 1, self.step):
            now, name = 0, ""
            for rule in self.objective.rules:
                if self.active(rule, at) and rule.severity.rank > now:
                    now, name = rule.severity.rank, rule.name
            late = self.is_revised(at)
            state = _state(severity, now)
            if state is None and now and late:
                state = "revised"
            if state:
                found.append(("warning", state, at, name if now else None))
            severity = now
            good, total = self.window(at, None)
            missed = self.is_judged(at) and good / total < self.objective.target
            if missed != breached or (missed and late):
                state = "resolved" if not missed else "revised" if breached else "raised"
                found.append(("breach", state, at, None))
            breached = missed
        return sorted(found, key=lambda t: (t[2], t[0]))

    def is_revised(self, at: int) -> bool:
        rules = self.objective.rules
        lengths = {w for r in rules for w in r.windows_ms}
        lengths |= {
            leaf.for_ms for r in rules for leaf in leaves(r.condition) if isinstance(leaf, NoData)
        }
        oldest = min(self.edge(at, w) for w in (None, *lengths))
        return any(
            at - self.step < since <= at and oldest < up(end, self.step) < since
            for end, _, _, since in self.cells
        )


def _state(before: int, now: int) -> str | None:
    if before == now:
        return None
    if not before:
        return "raised"
    if not now:
        return "resolved"
    return "escalated" if now > before else "deescalated"
