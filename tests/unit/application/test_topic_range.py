"""Which offsets a range of topics means."""

import pytest

from servicelevel.application.topic_range import Edge, Log, TopicRange, extent
from servicelevel.errors import UsageError

LOG = Log(100, 200)
KNOWN = frozenset({"requests", "changes"})


def offsets(
    start: Edge | None = None,
    end: Edge | None = None,
    of_start: int | None = None,
    of_end: int | None = None,
    log: Log = LOG,
) -> tuple[int, int]:
    wanted = TopicRange(start=start or Edge(), end=end or Edge())
    return extent("requests/0", log, wanted, of_start, of_end)


def test_without_edges_all_that_is_there() -> None:
    assert offsets() == (100, 200)
    assert offsets(log=Log(7, 7)) == (7, 7)


def test_times_are_the_offsets_that_the_broker_says() -> None:
    assert offsets(Edge(1), Edge(2), 120, 150) == (120, 150)
    assert offsets(Edge(1), Edge(2), 120, None) == (120, 200)
    assert offsets(Edge(1), None, None) == (200, 200)  # nothing so new
    assert offsets(Edge(1), None, 230) == (200, 200)  # came after the end was looked up
    assert offsets(Edge(2), Edge(1), 150, 120) == (150, 150)


def test_a_named_offset_goes_before_the_time() -> None:
    named = Edge(1, {"requests/0": 130, "requests/1": 7})
    assert offsets(named, None, 120) == (130, 200)
    assert offsets(None, Edge(offsets={"requests/0": 200})) == (100, 200)
    assert offsets(None, Edge(offsets={"requests/1": 9})) == (100, 200)


@pytest.mark.parametrize(("offset", "said"), [(99, "deleted"), (201, "ends before offset 200")])
def test_an_offset_that_is_not_there_is_told(offset: int, said: str) -> None:
    edge = Edge(offsets={"requests/0": offset})
    with pytest.raises(UsageError, match=f"--from requests/0={offset}: .*{said}"):
        offsets(edge)
    with pytest.raises(UsageError, match=f"--to requests/0={offset}: .*{said}"):
        offsets(None, edge)


def test_names_may_have_the_prefix() -> None:
    given = TopicRange(
        ("p.requests", "changes", "requests"),
        Edge(3, {"p.changes/1": 4}),
        Edge(None, {"requests/0": 5}),
    )
    assert given.without_prefix("p.", KNOWN) == TopicRange(
        ("requests", "changes"), Edge(3, {"changes/1": 4}), Edge(None, {"requests/0": 5})
    )


def test_an_unknown_topic_is_told_with_those_that_are() -> None:
    for wrong in (TopicRange(("other",)), TopicRange(start=Edge(None, {"other/0": 1}))):
        with pytest.raises(UsageError, match=r"`other` is none of .*changes, requests"):
            wrong.without_prefix("p.", KNOWN)
