"""The shop's requests: the same for the same seed, and as many as the story says."""

import orjson
import pytest

from servicelevel.domain.time import MINUTE_MS, SECOND_MS
from servicelevel.entrypoints.demo.story import Phase, Service, Story
from servicelevel.entrypoints.demo.traffic import Traffic

LIVE_MS = 1_767_225_600_000


def story(*phases: Phase, seed: int = 1, error_ratio: float = 0.1) -> Story:
    service = Service(
        per_second=10,
        error_ratio=error_ratio,
        median_ms=100,
        spread=0.4,
        operations=("GET /a", "GET /b"),
        counted_by="a",
    )
    return Story(
        seed=seed,
        history_s=60,
        ramp_s=60,
        quiet=0.5,
        repeats_s=600,
        services={"a": service, "b": service},
        phases=phases,
    )


def values(traffic: Traffic, *ends_s: int) -> list[bytes]:
    return [r.value for end in ends_s for r in traffic.until(LIVE_MS + end * SECOND_MS)]


def events(*phases: Phase, after_s: int, to_s: int) -> list[dict[str, object]]:
    traffic = Traffic(story(*phases), LIVE_MS)
    traffic.until(LIVE_MS + after_s * SECOND_MS)
    return [orjson.loads(v) for v in values(traffic, to_s)]


def test_same_seed_same_requests_however_the_time_is_cut() -> None:
    whole = values(Traffic(story(), LIVE_MS), 30)
    assert whole == values(Traffic(story(), LIVE_MS), -59, -10, 0, 7, 7, 30)
    assert whole != values(Traffic(story(seed=2), LIVE_MS), 30)


def test_requests_come_in_order_of_time_and_only_up_to_the_end() -> None:
    requests = Traffic(story(), LIVE_MS).until(LIVE_MS)
    times = [r.time_ms for r in requests]
    assert times == sorted(times)
    assert times[0] >= LIVE_MS - MINUTE_MS
    assert times[-1] < LIVE_MS
    assert {r.service for r in requests} == {"a", "b"}


def test_ids_are_unique() -> None:
    ids = [orjson.loads(v)["id"] for v in values(Traffic(story(), LIVE_MS), 30)]
    assert len(ids) == len(set(ids))


def test_traffic_grows_to_its_full_size() -> None:
    first = [e for e in events(after_s=-60, to_s=-50) if e["service"] == "a"]
    live = [e for e in events(after_s=0, to_s=10) if e["service"] == "a"]
    assert len(first) == pytest.approx(54, abs=2)  # half of 100, and growing
    assert len(live) == pytest.approx(100, abs=1)


def test_failures_are_as_many_as_told() -> None:
    bad = [e for e in events(after_s=0, to_s=100) if e["status_code"] == 503]
    assert len(bad) == pytest.approx(2 * 100, abs=2)


def test_phase_changes_one_service_for_its_time() -> None:
    phase = Phase(
        title="a fails", service="a", starts_s=10, ends_s=20, error_ratio=1, traffic=3, latency=100
    )
    during = events(phase, after_s=10, to_s=20)
    a = [e for e in during if e["service"] == "a"]
    b = [e for e in during if e["service"] == "b"]
    assert len(a) == pytest.approx(300, abs=2)
    assert {e["status_code"] for e in a[1:]} == {503}  # the first slot began before the phase
    assert sum(float(str(e["duration_ms"])) > 1000 for e in a) > 290
    assert len(b) == pytest.approx(100, abs=1)
    assert max(float(str(e["duration_ms"])) for e in b) < 1000
    after = [e for e in events(phase, after_s=21, to_s=31) if e["service"] == "a"]
    assert sum(e["status_code"] == 503 for e in after) == pytest.approx(10, abs=1)
