"""The story's arithmetic, as its comments tell it, held against the requests it makes."""

from bisect import bisect_right
from collections.abc import Callable
from operator import itemgetter

import msgspec
import orjson
import pytest

from servicelevel.domain.time import SECOND_MS
from servicelevel.entrypoints.demo.story import Phase, Story, load_story
from servicelevel.entrypoints.demo.traffic import Traffic

LIVE_MS = 1_767_225_600_000
Event = dict[str, object]
Requests = dict[str, list[tuple[int, Event]]]
Bad = Callable[[Event], bool]


@pytest.fixture(scope="module")
def requests() -> Requests:
    """The last hour of the history and a minute of live time, by service in order of time."""
    traffic = Traffic(load_story(), LIVE_MS)
    traffic.until(LIVE_MS - 3_600 * SECOND_MS)
    found: Requests = {}
    for request in traffic.until(LIVE_MS + 60 * SECOND_MS):
        found.setdefault(request.service, []).append((request.time_ms, orjson.loads(request.value)))
    return found


def is_failure(event: Event) -> bool:
    return event["status_code"] == 503


def is_slow(event: Event) -> bool:
    return float(str(event["duration_ms"])) >= 300


def error_ratio(requests: Requests, service: str, bad: Bad, at_s: float, window_s: int) -> float:
    to_ms = LIVE_MS + round(at_s * SECOND_MS)
    of_service = requests[service]
    first = bisect_right(of_service, to_ms - window_s * SECOND_MS, key=itemgetter(0))
    last = bisect_right(of_service, to_ms, key=itemgetter(0))
    return sum(bad(event) for _, event in of_service[first:last]) / (last - first)


def first_s(
    requests: Requests,
    service: str,
    bad: Bad,
    window_s: int,
    holds: Callable[[float], bool],
    after_s: float = 0,
) -> float:
    """The first quarter of a second at which the error ratio over a window is as asked."""
    return next(
        quarter / 4
        for quarter in range(round(after_s * 4), 240)
        if holds(error_ratio(requests, service, bad, quarter / 4, window_s))
    )


def test_checkout_is_ticketed_then_paged_then_breached(requests: Requests) -> None:
    ticket = first_s(requests, "checkout", is_failure, 60, lambda e: e > 0.04)
    page = first_s(requests, "checkout", is_failure, 60, lambda e: e > 3 * 0.04)
    breach = first_s(requests, "checkout", is_failure, 300, lambda e: e > 0.04)
    assert (ticket, page, breach) == pytest.approx((5, 11, 17), abs=1)


def test_checkout_is_back_at_its_target_within_the_minute(
    requests: Requests,
) -> None:
    back = first_s(requests, "checkout", is_failure, 300, lambda e: e <= 0.04, after_s=20)
    assert back == pytest.approx(30, abs=1.5)


def test_checkout_over_thirty_days_stays_quiet(requests: Requests) -> None:
    # Six hours are all there is of the thirty days; the shortest page window is an hour.
    assert all(
        error_ratio(requests, "checkout", is_failure, at, 3_600) < 6 * 0.01 for at in range(60)
    )


def test_search_is_ticketed_then_paged_and_never_breached(
    requests: Requests,
) -> None:
    ticket = first_s(requests, "search", is_slow, 60, lambda e: e > 0.05)
    page = first_s(requests, "search", is_slow, 60, lambda e: e > 3 * 0.05)
    assert (ticket, page) == pytest.approx((14.6, 23.7), abs=2)
    assert max(error_ratio(requests, "search", is_slow, at, 3_600) for at in range(60)) < 0.025


def test_all_is_well_before(requests: Requests) -> None:
    for service in load_story().services:
        assert error_ratio(requests, service, is_failure, 0, 300) < 0.002


def test_each_phase_is_told_once_when_it_begins() -> None:
    story = load_story()
    assert [p.starts_s for p in story.beginning(0, 15)] == [2, 10]
    assert story.beginning(10, 15) == []
    assert [p.starts_s for p in story.beginning(590, 605)] == [2]  # the next turn


def test_phases_come_again() -> None:
    story = load_story()
    phase = story.phase("checkout", 5)
    assert phase is not None
    assert story.phase("checkout", 5 + story.repeats_s) == phase
    assert story.phase("checkout", -5) is None
    assert story.phase("basket", 5) is None


def test_later_phase_wins_where_two_overlap() -> None:
    story = load_story()
    late = Phase(title="late", service="checkout", starts_s=4, ends_s=6)
    both: Story = msgspec.structs.replace(story, phases=(*story.phases, late))
    assert both.phase("checkout", 5) == late
