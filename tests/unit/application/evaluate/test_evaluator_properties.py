"""The evaluator against a brute-force oracle: any batching, any order, any crash point."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import CountsMessage
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output, Transition
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from tests.builders.brute_force import Counted
from tests.builders.histories import LATENESS_MS, histories, logs, on_time
from tests.builders.ladder import LADDER

PANE = 10_000
TARGET = Fraction(9, 10)
RULES = (
    pair("10m/1m", 10 * MINUTE_MS, MINUTE_MS, Fraction(5), Severity.PAGE),
    pair("2h/10m", 2 * HOUR_MS, 10 * MINUTE_MS, Fraction(2), Severity.TICKET),
    pair("4d/7h", 4 * DAY_MS, 7 * HOUR_MS, Fraction(1), Severity.TICKET),
)
INDICATOR = Indicator("i1", "request", "shop", "", "good")
SLO = Slo(
    "shop-ok", "shop", 5 * DAY_MS, (Objective("objective-1", INDICATOR, TARGET, RULES),), "d1"
)
CATALOGUE = Catalogue.of([SLO])
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=LATENESS_MS)


@dataclass
class JournalledState:
    """Keeps every write in order, so that a crash can be put after any of them."""

    inner: MemoryState = field(default_factory=MemoryState)
    journal: list[tuple[Any, ...]] = field(default_factory=list)

    def get(self, key: str) -> Any:
        return self.inner.get(key)

    def put(self, key: str, offset: int, value: Any) -> None:
        self.journal.append((key, offset, value))
        self.inner.put(key, offset, value)

    def delete(self, key: str) -> None:
        self.journal.append((key,))
        self.inner.delete(key)

    def scan(self) -> Any:
        return self.inner.scan()

    def after(self, writes: int) -> "JournalledState":
        copy = JournalledState()
        for write in self.journal[:writes]:
            if len(write) == 1:
                copy.delete(*write)
            else:
                copy.put(*write)
        return copy


def oracle(cells: list[Counted], last_ms: int) -> list[tuple[Any, ...]]:
    """(kind, state, at, rule, severity) decided at every pane end, from all cells at once."""

    def total_in(at: int, window: int) -> tuple[int, int]:
        edge = LADDER.old_edge_ms(at, window)
        inside = [c for c in cells if edge < c[0] <= at and c[3] <= at]
        return sum(c[1] for c in inside), sum(c[2] for c in inside)

    told: list[tuple[Any, ...]] = []
    severity, breached = 0, False
    rank = {Severity.TICKET: 2, Severity.PAGE: 3}
    interesting = changes(cells, last_ms)
    for at in interesting:
        now, name = 0, ""
        for rule in RULES:
            pairs = [total_in(at, w) for w in rule.windows_ms]
            rates = [Fraction(t - g, t) / (1 - TARGET) if t else Fraction(0) for g, t in pairs]
            if (
                all(rate > rule.condition.parts[0].factor for rate in rates)
                and rank[rule.severity] > now
            ):
                now, name = rank[rule.severity], rule.name
        late = any(c[3] == at and LADDER.old_edge_ms(at, SLO.window_ms) < c[0] for c in cells)
        if now == severity and now and late:
            told.append(("warning", "revised", at, name))
        if now != severity:
            state = (
                "raised"
                if not severity
                else "resolved"
                if not now
                else "escalated"
                if now > severity
                else "deescalated"
            )
            told.append(("warning", state, at, name if now else None))
            severity = now
        good, total = total_in(at, SLO.window_ms)
        missed = total >= 10 and Fraction(good, total) < TARGET
        if missed and breached and late:
            told.append(("breach", "revised", at, None))
        if missed != breached:
            told.append(("breach", "raised" if missed else "resolved", at, None))
            breached = missed
    return sorted(told, key=lambda t: (t[2], t[0]))


def changes(cells: list[Counted], last_ms: int) -> list[int]:
    """Every pane end near which any window's content can change, widely guessed."""
    windows = {w for r in RULES for w in r.windows_ms} | {SLO.window_ms}
    found: set[int] = set()
    for end, _, _, since in cells:
        found |= {end, since}
        for window in windows:
            step = LADDER.resolution_ms(window)
            leaves = -(-end // step) * step + window
            found.update(range(leaves - PANE, leaves + 2 * PANE, PANE))
    return sorted(t for t in found if 0 < t <= last_ms)


def run(messages: list[CountsMessage], state: Any) -> list[Output]:
    evaluator = Evaluator(CATALOGUE, POLICY, state)
    outputs: list[Output] = list(evaluator.pending())
    for offset in range(evaluator.next_offset or 0, len(messages)):
        outputs += evaluator.apply(messages[offset], offset)
    return outputs


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_batching_decides_what_all_events_at_once_decide(data: st.DataObject) -> None:
    messages, counted = data.draw(logs(data.draw(histories())))

    told = on_time(run(messages, MemoryState()))

    assert told == oracle(counted, max(c[0] for c in counted))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_crash_after_any_write_changes_nothing(data: st.DataObject) -> None:
    messages, _ = data.draw(logs(data.draw(histories())))
    whole = JournalledState()
    expected = run(messages, whole)
    crashed = whole.after(data.draw(st.integers(0, len(whole.journal))))
    told_before = [
        o for offset in [stored_progress(crashed)] for o in outputs_until(messages, offset)
    ]

    after = run(messages, crashed)

    by_id = {o.id: o for o in [*told_before, *after] if isinstance(o, Transition)}
    assert by_id == {o.id: o for o in expected if isinstance(o, Transition)}
    assert sums(crashed) == sums(whole)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_is_stored_at_an_offset_is_the_same_whoever_stores_it(data: st.DataObject) -> None:
    """A stalled owner and a new one write the same; so of their entries the newest is right."""
    messages, _ = data.draw(logs(data.draw(histories())))
    whole = JournalledState()
    run(messages, whole)
    crashed = whole.after(data.draw(st.integers(0, len(whole.journal))))
    before = len(crashed.journal)

    run(messages, crashed)

    by_first, by_second = last_writes(whole.journal), last_writes(crashed.journal[before:])
    shared = by_first.keys() & by_second.keys()
    assert {key: by_second[key] for key in shared} == {key: by_first[key] for key in shared}


def last_writes(journal: list[tuple[Any, ...]]) -> dict[tuple[str, int], Any]:
    """The last value by key and offset, of panes: alerts and progress tell what was told, too."""
    return {
        (write[0], write[1]): write[2]
        for write in journal
        if len(write) == 3 and write[0][0] in "qdf"
    }


def stored_progress(state: JournalledState) -> int:
    entry = state.get("p")
    return -1 if entry is None else entry.offset


def outputs_until(messages: list[CountsMessage], offset: int) -> list[Output]:
    evaluator = Evaluator(CATALOGUE, POLICY, MemoryState())
    return [o for at in range(offset + 1) for o in evaluator.apply(messages[at], at)]


def sums(state: JournalledState) -> tuple[int, int]:
    good = total = 0
    for key, entry in state.scan():
        if key[0] in "qd":
            _, _, totals, bads = entry.value[0] or (0, 0, [], [])
            revisions = entry.value[-1]
            good += sum(totals) - sum(bads) + sum(revisions[2::4])
            total += sum(totals) + sum(revisions[3::4])
    return good, total


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_what_is_told_early_is_confirmed_or_taken_back(data: st.DataObject) -> None:
    messages, _ = data.draw(logs(data.draw(histories())))

    outputs = [o for o in run(messages, MemoryState()) if isinstance(o, Transition)]

    confirmed = {(o.alert_id, o.at_ms) for o in outputs if not o.early}
    retracted = {o.alert_id for o in outputs if o.state == "retracted"}
    raised = [o for o in outputs if o.early and o.state == "raised"]
    assert all((o.alert_id, o.at_ms) in confirmed or o.alert_id in retracted for o in raised)
    assert len({o.id for o in outputs}) == len(outputs)
