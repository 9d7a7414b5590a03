"""What the benchmarks make of what they measured."""

from types import SimpleNamespace
from xml.etree import ElementTree

from benchmarks.chart import svg
from benchmarks.latency import spread
from benchmarks.paths.orjson_dict import Cells, count, sums
from benchmarks.peers import is_exact
from benchmarks.result import Result, table
from benchmarks.run import best
from benchmarks.shapes import Shape, shaped
from benchmarks.workload import INDICATORS, SERVICES, Loaded, Request, requests


def test_counts_of_the_plain_loop_are_those_of_the_workload() -> None:
    events = list(requests(2_000, 1_000_000))
    cells: Cells = {}
    count(cells, [SimpleNamespace(value=event.value) for event in events])
    assert is_exact(sums(cells), loaded(events))
    assert not is_exact({**sums(cells), SERVICES[0]: [0, 0, 0, 1]}, loaded(events))
    assert {end % 10_000 for _, end in cells} == {0}


def loaded(events: list[Request]) -> Loaded:
    counts = {
        (service, name): (
            sum(event.service == service and name in event.good for event in events),
            sum(event.service == service for event in events),
        )
        for service in SERVICES
        for name in INDICATORS
    }
    return Loaded(len(events), 176.0, counts)


def test_the_round_that_took_the_least_counts_unless_one_was_wrong() -> None:
    slow = Result("a", 100, 1.0, 2.0, exact=True)
    fast = Result("a", 100, 9.0, 1.0, exact=True)
    wrong = Result("a", 100, 9.0, 5.0, exact=False)
    assert best([slow, fast]) is fast
    assert best([slow, wrong, fast]) is wrong


def test_groups_have_their_partition_and_the_hot_one_its_share() -> None:
    shape = Shape("", groups=100, hot=0.9, by_key=True)
    events = list(shaped(shape, 1_000))
    hot = [event for event in events if b'"customer":"c0"' in event.value]
    assert 850 < len(hot) < 950
    assert {event.part for event in hot} == {0}
    assert {event.part for event in events} == {0, 1, 2, 3}


def test_a_spread_is_in_milliseconds() -> None:
    assert spread([0.1]) is None
    assert spread([n / 1_000 for n in range(101)]) == {
        "p50_ms": 50.0,
        "p99_ms": 99.0,
        "max_ms": 100.0,
    }


def test_the_table_and_the_picture_have_a_row_for_each_path() -> None:
    results = [Result("a <b>", 100, 1.0, 2.0), Result("c", 200, 1.0, 2.0, True, "why", 0.5)]
    assert "| c | 200 | 200 | 2 | 100 | 2 | 0.50 | yes |" in table(results)
    picture = svg({"events": 1_000, "results": [result.row() for result in results]})
    found = ElementTree.fromstring(picture)  # noqa: S314  we made it ourselves
    assert len(found.findall("{http://www.w3.org/2000/svg}rect")) == 2
