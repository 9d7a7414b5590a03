"""State that an earlier version wrote goes on; that of an unknown one is refused untouched."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicelevel.application.evaluate import EvaluationPolicy, Evaluator
from servicelevel.application.evaluate.records import (
    PROGRESS_KEY,
    STATE_VERSION,
    dump_progress,
)
from servicelevel.application.memory_state import MemoryState
from servicelevel.domain.counts import CountsMessage
from servicelevel.domain.ladder import SPAN_MS
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo
from servicelevel.domain.outputs import Output
from servicelevel.domain.rules import pair
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import DAY_MS, HOUR_MS, MINUTE_MS
from servicelevel.errors import StateError
from tests.builders.histories import LATENESS_MS, histories, logs
from tests.builders.ladder import LADDER

RULE = pair("2h/10m", 2 * HOUR_MS, 10 * MINUTE_MS, Fraction(2), Severity.TICKET)
INDICATOR = Indicator("i1", "request", "shop", "", "good")
OBJECTIVE = Objective("objective-1", INDICATOR, Fraction(9, 10), (RULE,))
CATALOGUE = Catalogue.of([Slo("shop-ok", "shop", 5 * DAY_MS, (OBJECTIVE,), "d1")])
POLICY = EvaluationPolicy(LADDER, allowed_lateness_ms=LATENESS_MS)


def evaluator(state: MemoryState) -> Evaluator:
    """Over this state."""
    return Evaluator(CATALOGUE, POLICY, state)


def apply(made: Evaluator, messages: list[CountsMessage], first: int) -> list[Output]:
    """What is told of the messages from `first` on."""
    return [o for at in range(first, len(messages)) for o in made.apply(messages[at], at)]


def in_version_2(state: MemoryState) -> MemoryState:
    """The same state with panes as flat integers `[end, good, total, …]`, as version 2 had it."""
    older = MemoryState()
    for key, entry in state.scan():
        value: Any = entry.value
        if key == PROGRESS_KEY:
            value = {**value, "version": 2}
        elif key[0] in "qd":
            begin_ms = int(key.split("/")[1]) - (SPAN_MS if key[0] == "q" else DAY_MS)
            value = [list(flat(begin_ms, value[0])), *value[1:]]
        older.put(key, entry.offset, value)
    return older


def flat(begin_ms: int, panes: list[Any]) -> Iterator[int]:
    """The numbers that version 2 wrote."""
    step_ms, first, totals, bads = panes or (0, 0, [], [])
    for slot, total in enumerate(totals):
        if total:
            bad = bads[slot] if bads else 0
            yield from (begin_ms + (first + slot + 1) * step_ms, total - bad, total)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_state_of_version_2_goes_on_as_if_it_were_new(data: st.DataObject) -> None:
    messages, _ = data.draw(logs(data.draw(histories())))
    until = data.draw(st.integers(0, len(messages)))
    state = MemoryState()
    apply(evaluator(state), messages[:until], 0)

    told = apply(evaluator(in_version_2(state)), messages, until)

    assert told == apply(evaluator(state), messages, until)


@pytest.mark.parametrize("version", [None, 1, STATE_VERSION + 1])
def test_another_version_is_refused_and_left_alone(version: int | None) -> None:
    state = MemoryState()
    state.put(PROGRESS_KEY, 7, {"version": version})
    before = list(state.scan())

    with pytest.raises(StateError, match=f"has version {version!r}, this program reads 2 and 3"):
        evaluator(state)

    assert list(state.scan()) == before


def test_state_for_another_number_of_counts_partitions_is_refused_and_left_alone() -> None:
    state = MemoryState()
    state.put(PROGRESS_KEY, 7, dump_progress(None, -1, Ledger(), 4))
    before = list(state.scan())

    with pytest.raises(StateError, match=r"laid out for 4 partitions.*there are 6.*start anew"):
        Evaluator(CATALOGUE, POLICY, state, partition=0, partitions=6)

    assert list(state.scan()) == before
    assert Evaluator(CATALOGUE, POLICY, state, partition=0, partitions=4).next_offset == 8


def test_state_that_does_not_say_its_counts_partitions_is_read() -> None:
    state = MemoryState()
    value = dump_progress(None, -1, Ledger(), 4)
    del value["counts_partitions"]
    state.put(PROGRESS_KEY, 7, value)
    assert Evaluator(CATALOGUE, POLICY, state, partition=0, partitions=6).next_offset == 8


DAMAGED: dict[str, Any] = {
    PROGRESS_KEY: {"version": STATE_VERSION},
    "q/900000/i1/": [[10_000, 0, [3]], []],
    "d/86400000/i1/": {},
    "o/10000/i1/": [{"requests/0": [1]}, {}],
    "v/10000/i1/": [1, 2, 3],
    "q/x/i1/": [[], []],
    "w/shop-ok/objective-1/": {"alert": None},
}


@pytest.mark.parametrize("key", DAMAGED)
def test_a_damaged_value_is_named_and_left_alone(key: str) -> None:
    state = MemoryState()
    state.put(PROGRESS_KEY, 7, dump_progress(None, -1, Ledger(), 1))
    state.put(key, 7, DAMAGED[key])
    before = list(state.scan())

    with pytest.raises(StateError, match=f"entry '{key}' has no value of ours.*start anew"):
        evaluator(state)

    assert list(state.scan()) == before
