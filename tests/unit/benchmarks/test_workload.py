"""What the benchmarks load is what they say they load."""

import json
from pathlib import Path

from benchmarks.workload import INDICATORS, SERVICES, SPREAD_MS, requests, write_definitions
from servicelevel.adapters.files.definitions import load_definitions

FIRST_MS = 1_767_225_600_000


def test_the_same_seed_gives_the_same_events() -> None:
    assert list(requests(50, FIRST_MS, seed=7)) == list(requests(50, FIRST_MS, seed=7))
    assert list(requests(50, FIRST_MS, seed=7)) != list(requests(50, FIRST_MS, seed=8))


def test_events_are_in_order_of_time_and_of_the_size_promised() -> None:
    events = list(requests(2_000, FIRST_MS))
    times = [json.loads(event.value)["time"] for event in events]
    assert times == sorted(times)
    assert times[0] == FIRST_MS
    assert times[-1] < FIRST_MS + SPREAD_MS
    assert 170 < sum(len(event.value) for event in events) / len(events) < 182


def test_good_is_what_the_predicates_say() -> None:
    seen = set()
    for event in requests(20_000, FIRST_MS):
        body = json.loads(event.value)
        served = body["status_code"] < 500
        expected = {
            "availability": served,
            "fast": body["duration_ms"] < 250,
            "served": served and body["duration_ms"] < 1000,
        }
        assert event.good == tuple(name for name in INDICATORS if expected[name])
        seen.add(event.good)
    assert len(seen) >= 3  # each indicator has events it is bad for


def test_definitions_are_valid_and_one_for_each_service_and_indicator(tmp_path: Path) -> None:
    write_definitions(tmp_path)
    loaded = load_definitions([tmp_path])
    assert [finding for finding in loaded.findings if finding.severity == "error"] == []
    assert len(loaded.catalogue.slos) == len(SERVICES) * len(INDICATORS)
