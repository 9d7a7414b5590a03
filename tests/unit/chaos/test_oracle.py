"""The oracle of chaos runs finds what differs, and nothing where nothing does."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.chaos.counts_log import CountsLog, read_counts
from tests.chaos.expected import Record, expect
from tests.chaos.oracle import differences
from tests.chaos.outcome import Outcome
from tests.chaos.promises import SLIS

T0 = 1_767_225_600_000
PANE = 10_000
BASKET = ("basket-availability", "objective-1", "")
KEY = "basket-availability/objective-1"


def record(offset: int, at_ms: int, status: int = 200, partition: int = 0) -> Record:
    event = {"service": "basket", "time": T0 + at_ms, "status_code": status, "duration_ms": 5}
    return Record(partition, offset, T0 + 10**10, json.dumps(event).encode())


RECORDS = [
    record(0, 5_000),
    record(1, 15_000, 500),
    Record(0, 2, T0 + 10**10, b"{"),
    record(3, 20_000),
    record(4, 3_600_000),
    record(5, 25_000, 500),  # a revision
    record(6, 1),  # dropped
]


def alert(state: str, at: str, *, early: bool = False, **data: Any) -> dict[str, Any]:
    return {
        "id": f"a.{state}.{at}" + (".early" if early else ""),
        "time": f"2026-01-01T00:{at}Z",
        "data": {
            "alert_id": "a",
            "kind": "warning",
            "slo": "basket-availability",
            "objective": "objective-1",
            "group": "",
            "state": state,
            "early": early,
            **data,
        },
    }


def outcome() -> Outcome:
    """Of a run in which all went well."""
    expected = expect(RECORDS, SLIS, lateness_ms=10_000, horizon_ms=3_580_000)
    counts = CountsLog()
    counts.add(json.dumps({"v": 1, "t": 0, "c": [["requests/0", 1, "x", 0, {}]], "r": []}).encode())
    cells = [["i", "", end, *pane] for end, pane in expected.panes[BASKET].items()]
    tally = [7, 4, 2, 1]
    range_ = ["requests/0", 1, 0, 7, T0, False, tally, cells]
    counts.add(json.dumps({"v": 1, "t": 0, "c": [], "r": [range_]}).encode())
    status = {
        "data": {
            "slo": "basket-availability",
            "at": "2026-01-01T01:00:00Z",
            "window_ms": 3_600_000,
            "good": 3,
            "total": 5,
        }
    }
    told = [alert("raised", "10:00", early=True), alert("raised", "10:00")]
    return Outcome(
        expected=expected,
        counts={0: counts},
        stored={BASKET: [(T0 + 60_000, 2, 4), (T0 + 3_600_000, 1, 1)]},
        commits={0: 7},
        tallies={0: {"requests/0": tally}},
        told=told,
        replayed=[told[1]],
        asides=[
            ("dead-letter", 0, 2, None),
            ("late", 0, 5, "revision"),
            ("late", 0, 6, "dropped"),
        ],
        statuses={KEY: status},
        mirrored={KEY: deepcopy(status)},
        mirrored_open={"warning/basket-availability/objective-1/"},
        indicators={"i": ("basket-availability", "objective-1")},
        complete_to_ms=T0 + 3_600_000,
    )


def test_what_a_record_comes_to() -> None:
    found = expect(RECORDS, SLIS, lateness_ms=10_000, horizon_ms=3_580_000)
    assert found.tallies == {0: [7, 4, 2, 1, 0]}
    assert found.panes[BASKET] == {
        T0 + PANE: [1, 1],
        T0 + 2 * PANE: [1, 2],  # a pane ends with its last millisecond
        T0 + 3 * PANE: [0, 1],
        T0 + 3_600_000: [1, 1],
    }
    assert found.dead == {(0, 2)}
    assert found.late == {(0, 5): "revision", (0, 6): "dropped"}


def test_lateness_is_of_each_partition() -> None:
    records = [record(0, 3_600_000), record(0, 5_000, partition=1)]
    assert expect(records, SLIS, lateness_ms=10_000, horizon_ms=0).late == {}


def test_a_group_counts_in_the_total_too() -> None:
    event = {"service": "checkout", "time": T0, "status_code": 200, "attributes": {"region": "eu"}}
    records = [Record(0, 0, T0, json.dumps(event).encode())]
    found = expect(records, SLIS, lateness_ms=0, horizon_ms=0).panes
    assert {series[2] for series in found} == {"", "attributes.region=eu"}


def test_an_event_of_the_future_and_one_without_a_service_are_dead() -> None:
    records = [
        Record(0, 0, T0, json.dumps({"service": "basket", "time": T0 + 300_001}).encode()),
        Record(0, 1, T0, json.dumps({"time": T0}).encode()),
        Record(0, 2, T0, b"\xff"),
        Record(0, 3, T0, b"[]"),
    ]
    assert expect(records, SLIS, lateness_ms=0, horizon_ms=0).tallies == {0: [4, 0, 0, 4, 0]}


def test_a_repeat_is_an_event_whose_id_came_within_so_many_offsets() -> None:
    def named(offset: int, name: str, partition: int = 0) -> Record:
        event = {"id": name, "service": "basket", "time": T0, "status_code": 200}
        return Record(partition, offset, T0, json.dumps(event).encode())

    records = [named(0, "a"), named(2, "a"), named(4, "a"), named(7, "a"), named(8, "a", 1)]
    found = expect(records, SLIS, lateness_ms=0, horizon_ms=0, dedup_records=2)
    assert found.tallies == {0: [4, 2, 0, 0, 2], 1: [1, 1, 0, 0, 0]}
    found = expect(records, SLIS, lateness_ms=0, horizon_ms=0)
    assert found.tallies[0] == [4, 4, 0, 0, 0]


def message(claims: list[Any], ranges: list[Any]) -> tuple[int, bytes]:
    return 0, json.dumps({"v": 1, "t": 0, "c": claims, "r": ranges}).encode()


def ranged(epoch: int, start: int, end: int) -> list[Any]:
    cells = [["i", "", T0, end - start, end - start]]
    return ["requests/0", epoch, start, end, T0, False, [end - start, end - start, 0, 0], cells]


def test_ranges_of_a_former_owner_and_repeats_do_not_count() -> None:
    log = read_counts(
        [
            message([["requests/0", 1, "a", 0, {}]], [ranged(1, 0, 5)]),
            message([["requests/0", 2, "b", 0, {}]], [ranged(2, 5, 8)]),
            message([], [ranged(1, 5, 9)]),  # the stalled former owner
            message([["requests/0", 2, "c", 0, {}]], [ranged(2, 5, 8)]),  # no claim, a repeat
            message([], [ranged(2, 9, 12)]),  # a gap
            message([], [ranged(3, 8, 9)]),  # nobody's
            message([], [ranged(2, 8, 8), ranged(2, 8, 10)]),
        ]
    )[0]
    assert log.applied == {"requests/0": 10}
    assert log.panes == {("i", "", T0): [10, 10]}
    assert log.tallies["requests/0"] == [10, 10, 0, 0, 0]
    assert (log.claims, log.rejected) == (2, 4)


def test_nothing_differs_where_all_went_well() -> None:
    assert differences(outcome()) == []


def lose_an_event(o: Outcome) -> None:
    o.counts[0].panes["i", "", T0 + PANE] = [0, 0]


def store_twice(o: Outcome) -> None:
    o.stored[BASKET][0] = (T0 + 60_000, 3, 5)


def store_too_coarsely(o: Outcome) -> None:
    o.stored[BASKET] = [(T0 + 3_600_000, 3, 5)]


def lose_a_series(o: Outcome) -> None:
    del o.stored[BASKET]


def read_too_little(o: Outcome) -> None:
    o.tallies[0] = {"requests/0": [6, 4, 2, 0]}


def commit_too_much(o: Outcome) -> None:
    o.commits[0] = 8


def lose_a_dead_letter(o: Outcome) -> None:
    o.asides.remove(("dead-letter", 0, 2, None))


def tell_of_another(o: Outcome) -> None:
    o.asides.append(("late", 0, 1, "revision"))


def tell_two_contents(o: Outcome) -> None:
    o.told.append(alert("raised", "10:00", good=1))


def never_tell(o: Outcome) -> None:
    o.replayed.append(alert("resolved", "12:00"))


def tell_what_nobody_else_does(o: Outcome) -> None:
    o.told.append(alert("escalated", "11:00"))


def tell_otherwise(o: Outcome) -> None:
    o.replayed[0] = alert("raised", "10:00", good=1)


def leave_an_early_one(o: Outcome) -> None:
    o.told.append(alert("raised", "11:00", early=True, alert_id="b"))


def lose_a_status(o: Outcome) -> None:
    del o.statuses[KEY]


def tell_a_wrong_status(o: Outcome) -> None:
    o.statuses[KEY]["data"]["good"] = 4


def tell_an_old_status_last(o: Outcome) -> None:
    o.statuses[KEY]["data"]["at"] = "2026-01-01T00:59:50Z"


def mirror_an_old_status(o: Outcome) -> None:
    o.mirrored[KEY]["data"]["total"] = 4


def mirror_nothing_open(o: Outcome) -> None:
    o.mirrored_open.clear()


def die(o: Outcome) -> None:
    o.unexpected.append("worker 1 ended by itself with 70")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lose_an_event, "counts: "),
        (store_twice, "table: "),
        (store_too_coarsely, "table: "),
        (lose_a_series, "table: "),
        (read_too_little, "tally: "),
        (commit_too_much, "commit: "),
        (lose_a_dead_letter, "aside: missing"),
        (tell_of_another, "aside: not to be"),
        (tell_two_contents, "alert: a.raised.10:00 has 2 contents"),
        (never_tell, "alert: missing"),
        (tell_what_nobody_else_does, "alert: not in the replay"),
        (tell_otherwise, "alert: a.raised.10:00 differs: good None / 1"),
        (leave_an_early_one, "alert: b was told early"),
        (lose_a_status, "status: "),
        (tell_a_wrong_status, "status: "),
        (tell_an_old_status_last, "status: "),
        (mirror_an_old_status, "mirror: "),
        (mirror_nothing_open, "mirror: "),
        (die, "unexpected: "),
    ],
)
def test_each_difference_is_found(change: Callable[[Outcome], None], found: str) -> None:
    changed = outcome()
    change(changed)
    assert any(line.startswith(found) for line in differences(changed)), differences(changed)


def test_what_comes_twice_or_after_the_end_is_no_difference() -> None:
    again = outcome()
    again.told.append(again.told[1])
    again.replayed.append(
        alert("resolved", "12:00", alert_id="a") | {"time": "2026-01-01T01:00:01Z"}
    )
    assert differences(again) == []


def test_a_sort_of_difference_is_cut_short() -> None:
    changed = outcome()
    changed.unexpected += [f"worker {n} ended" for n in range(20)]
    found = differences(changed)
    assert len(found) == 9
    assert found[-1] == "unexpected: and 12 more"
