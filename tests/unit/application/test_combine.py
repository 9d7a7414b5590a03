"""Worked examples of what a source's events add up to."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import Batch
from servicelevel.domain.counts import BadEvidence, Cell, Tally
from servicelevel.domain.model import Catalogue, EventKind, Indicator, Objective, Slo
from servicelevel.domain.partitioning import counts_partition
from servicelevel.errors import CelError
from servicelevel.schemas.events import Event, IncidentEvent

PARTITIONS = 8


def plan(*indicators: Indicator, home: str | None = None) -> Plan:
    slos = [
        Slo(i.id, home or i.service, 86_400_000, (Objective("o", i, Fraction(9, 10), ()),), "d")
        for i in indicators
    ]
    return Plan(Catalogue.of(slos), PARTITIONS)


def accumulator(of: Plan, kind: EventKind = "request") -> SourceAccumulator:
    return SourceAccumulator(
        "requests/0",
        kind,
        of,
        allowed_lateness_ms=10_000,
        late_horizon_ms=60_000,
        max_time_ms=None,
    )


def batch(events: Sequence[Event], start: int = 0) -> Batch:
    return Batch(list(events), list(range(start, start + len(events))), [b""] * len(events))


def request(time: int, status: int | None = 200, service: str = "shop", **more: object) -> Event:
    return Event(service=service, time=time, status_code=status, **more)  # type: ignore[arg-type]


AVAILABILITY = Indicator("avail", "request", "shop", "", "status_code < 500")
HOME = counts_partition("shop", PARTITIONS)


def test_good_total_and_evidence_by_pane() -> None:
    counting = accumulator(plan(AVAILABILITY))
    events = [
        request(1, operation="a"),
        request(10_000, 503, operation="a"),
        request(10_000, 500, operation="b"),
        request(9_999, 500, operation="a"),
        request(10_001),
        request(10_002, None, operation="a"),
    ]
    assert counting.add(batch(events, start=70), dead=2) == []
    folded = counting.take()
    bad = BadEvidence(
        {"requests/0": (71, 73)},
        {"operation=a": 2, "status_code=500": 2, "operation=b": 1, "status_code=503": 1},
    )
    assert folded.cells == {
        HOME: [Cell("avail", "", 10_000, 1, 4, bad), Cell("avail", "", 20_000, 1, 1)]
    }
    assert folded.tally == Tally(read=8, counted=6, late=0, dead=2)
    assert folded.max_time_ms == 10_002


def test_take_begins_anew_but_remembers_time() -> None:
    counting = accumulator(plan(AVAILABILITY))
    counting.add(batch([request(50_000)]), dead=0)
    counting.take()
    assert counting.take() == ({}, Tally(), 50_000)
    assert counting.size == 0
    assert len(counting.add(batch([request(39_999)]), dead=0)) == 1


def test_late_events_are_counted_and_dropped_ones_are_not() -> None:
    counting = accumulator(plan(AVAILABILITY))
    late = counting.add(batch([request(100_000), request(80_000), request(29_999)]), dead=0)
    assert [each.disposition for each in late] == ["revision", "dropped"]
    folded = counting.take()
    assert folded.tally == Tally(read=3, counted=1, late=2, dead=0)
    assert folded.cells == {
        HOME: [
            # behind the watermark of 89,999: it counts from the first pane that is open then on
            Cell("avail", "", 80_000, 1, 1, revision_ms=90_000),
            Cell("avail", "", 100_000, 1, 1),
        ]
    }


def test_an_idle_mark_moves_time_on() -> None:
    counting = accumulator(plan(AVAILABILITY))
    counting.advance(100_000)
    assert len(counting.add(batch([request(80_000)]), dead=0)) == 1
    assert counting.take().max_time_ms == 100_000


def test_groups() -> None:
    indicator = Indicator("i", "request", "shop", "", "status_code < 500", ("region",))
    counting = accumulator(plan(indicator))
    values = ["eu", "us", "1", 1, 1.0, True, None]
    events = [request(5, attributes={"region": value}) for value in values] + [request(6)]
    counting.add(batch(events), dead=0)
    cells = counting.take().cells[HOME]
    assert [(cell.group, cell.total) for cell in cells] == [
        ("region=", 2),
        ("region=1", 2),
        ("region=1.0", 1),
        ("region=eu", 1),
        ("region=true", 1),
        ("region=us", 1),
    ]


def test_an_undecidable_total_or_good_counts_for_neither() -> None:
    indicator = Indicator("i", "request", "shop", "attributes.user", "duration_ms < 5")
    counting = accumulator(plan(indicator))
    events = [
        request(1, attributes={"user": True}, duration_ms=4.0),
        request(1, attributes={"user": True}),
        request(1, attributes={"user": 1}, duration_ms=4.0),
        request(1, attributes={"user": False}, duration_ms=4.0),
        request(1, duration_ms=4.0),
    ]
    counting.add(batch(events), dead=0)
    folded = counting.take()
    assert folded.cells == {HOME: [Cell("i", "", 10_000, 1, 1)]}
    assert folded.tally.counted == 5


def test_without_a_predicate_all_matching_events_are_good() -> None:
    indicator = Indicator("i", "request", "shop", "status_code == 200", "", (), 60_000)
    counting = accumulator(plan(indicator))
    counting.add(batch([request(1), request(59_000), request(2, 500)]), dead=0)
    assert counting.take().cells == {HOME: [Cell("i", "", 60_000, 2, 2)]}


def test_panes_of_different_lengths() -> None:
    fine = Indicator("fine", "request", "shop", "", "true", (), 4_000)
    coarse = Indicator("coarse", "request", "shop", "", "true", (), 6_000)
    counting = accumulator(plan(fine, coarse))
    counting.add(batch([request(t) for t in (4_000, 4_001, 6_000, 6_001)]), dead=0)
    assert counting.take().cells[HOME] == [
        Cell("coarse", "", 6_000, 3, 3),
        Cell("coarse", "", 12_000, 1, 1),
        Cell("fine", "", 4_000, 1, 1),
        Cell("fine", "", 8_000, 3, 3),
    ]


def test_any_service_counts_at_home_and_names_the_service() -> None:
    anywhere = Indicator("any", "request", "*", "", "status_code < 500")
    counting = accumulator(plan(AVAILABILITY, anywhere, home="edge"))
    counting.add(batch([request(1, 500), request(2, 500, "other")]), dead=0)
    home = counts_partition("edge", PARTITIONS)
    folded = counting.take().cells
    assert set(folded) == {home}
    named = {cell.indicator: cell for cell in folded[home]}
    assert named["avail"].total == 1
    assert named["any"].total == 2
    assert named["any"].bad == BadEvidence(
        {"requests/0": (0, 1)}, {"status_code=500": 2, "service=other": 1, "service=shop": 1}
    )
    assert not counting.unknown_services


def test_unknown_services_are_in_the_tally_and_in_a_bounded_list() -> None:
    counting = accumulator(plan(AVAILABILITY))
    events = [request(1, service=f"s{n % 200}") for n in range(400)]
    counting.add(batch(events), dead=0)
    folded = counting.take()
    assert folded.cells == {}
    assert folded.tally == Tally(400, 400, 0, 0)
    assert len(counting.unknown_services) == 65
    assert sum(counting.unknown_services.values()) == 400


def test_each_kind_has_its_indicators() -> None:
    opened = Indicator("inc", "incident", "shop", "state == 'opened'", "severity != '1'")
    of = plan(AVAILABILITY, opened)
    counting = accumulator(of, "incident")
    event = IncidentEvent(service="shop", time=1, incident_id="i", state="opened", severity="2")
    counting.add(batch([event]), dead=0)
    assert counting.take().cells == {HOME: [Cell("inc", "", 10_000, 1, 1)]}


def test_an_expression_that_does_not_compile_is_refused() -> None:
    with pytest.raises(CelError):
        plan(Indicator("i", "request", "shop", "", "status < 500"))


def test_a_plan_that_changes_is_used_from_the_next_batch_on() -> None:
    """Also amidst a range; lateness and tallies go on."""
    other = Indicator("other", "request", "shop", "", "status_code < 400", pane_ms=5_000)
    shared = plan(AVAILABILITY)
    counting = accumulator(shared)
    counting.add(batch([request(1)]), dead=0)
    shared.change_to(plan(AVAILABILITY, other))
    counting.add(batch([request(2, 404), request(30_000, 404)], start=1), dead=1)

    first = counting.take()
    assert first.cells == {
        HOME: [
            Cell("avail", "", 10_000, 2, 2),
            Cell("avail", "", 30_000, 1, 1),
            Cell("other", "", 5_000, 0, 1, not_found(1)),
            Cell("other", "", 30_000, 0, 1, not_found(2)),
        ]
    }
    assert first.tally == Tally(read=4, counted=3, late=0, dead=1)

    late = counting.add(batch([request(24_000, 404), request(19_998)], start=3), dead=0)
    assert [each.offset for each in late] == [4]
    assert counting.take().cells == {
        HOME: [
            Cell("avail", "", 20_000, 1, 1),
            Cell("avail", "", 30_000, 1, 1),
            Cell("other", "", 20_000, 1, 1),
            Cell("other", "", 25_000, 0, 1, not_found(3)),
        ]
    }


def not_found(offset: int) -> BadEvidence:
    return BadEvidence({"requests/0": (offset, offset)}, {"status_code=404": 1})
