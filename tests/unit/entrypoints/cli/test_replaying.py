"""`replay` hands over files and times as they were meant."""

from pathlib import Path

import pytest

from servicelevel.application.topic_range import Edge, TopicRange
from servicelevel.entrypoints.cli.replaying import spread
from servicelevel.entrypoints.replay_request import FileMapping, RecordedFiles
from tests.builders.cli import NOW, Outside, servicelevel


def test_files_and_times_are_handed_over() -> None:
    outside = Outside()
    done = servicelevel(
        outside,
        *("replay", "slos", "--requests", "a", "b", "-", "--incidents", "c", "--early"),
        *("--mapping", "m.yaml", "--mapping", "b*=nginx", "--status-at", "2026-01-01T00:00:00Z"),
    )

    assert (done.code, done.out) == (0, "{}\n")
    _, request = outside.asked[-1]
    assert request.definitions == (Path("slos"),)
    assert request.events == RecordedFiles(
        requests=(Path("a"), Path("b"), Path("-")),
        incidents=(Path("c"),),
        mappings=(FileMapping(Path("m.yaml")), FileMapping(Path("nginx"), "b*")),
    )
    assert request.status_at_ms == NOW
    assert request.now_ms == NOW
    assert request.early is True


def test_what_is_deduplicated_is_an_option_over_the_settings() -> None:
    outside = Outside()
    asked = ("replay", "slos", "--requests", "a")
    for options, expected in (((), 0), (("--dedup-records", "500"), 500)):
        assert servicelevel(outside, *asked, *options).code == 0
        assert outside.asked[-1][1].settings.dedup_records == expected
    refused = servicelevel(outside, *asked, "--dedup-records", "-1")
    assert refused.code == 2
    assert "dedup_records" in refused.err


def test_the_definitions_may_come_last() -> None:
    outside = Outside()
    assert servicelevel(outside, "replay", "--requests", "a", "slos").code == 0
    assert outside.asked[-1][1].definitions == (Path("slos"),)


def asked_of_kafka(*arguments: str) -> TopicRange:
    outside = Outside()
    assert servicelevel(outside, "replay", "slos", *arguments).code == 0
    found: TopicRange = outside.asked[-1][1].events
    return found


def test_a_range_of_topics_is_handed_over() -> None:
    assert asked_of_kafka("--topic", "requests") == TopicRange(("requests",))
    assert asked_of_kafka("--from", "earliest", "--to", "latest") == TopicRange()
    assert asked_of_kafka("--from", "6h", "--to", "2025-12-31T23:00:00Z") == TopicRange(
        start=Edge(NOW - 6 * 3_600_000), end=Edge(NOW - 3_600_000)
    )
    assert asked_of_kafka(
        *("--from", "requests/0=12", "--from", "1d", "--from", "t.x/11=0", "--to", "requests/0=99")
    ) == TopicRange(
        start=Edge(NOW - 86_400_000, {"requests/0": 12, "t.x/11": 0}),
        end=Edge(offsets={"requests/0": 99}),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "6h", "--requests", "a"),
        ("--from", "6h", "--mapping", "nginx"),
        ("--from", "latest"),
        ("--to", "earliest"),
        ("--from", "soon"),
        ("--from", "requests=5"),
        ("--from", "1h", "--from", "2h"),
        ("--from", "1h", "--from", "earliest"),
        ("--requests", "a", "--mapping", "=nginx"),
        ("--requests", "a", "--mapping", "a="),
    ],
)
def test_what_says_no_range_is_wrong_use(arguments: tuple[str, ...]) -> None:
    outside = Outside()
    assert servicelevel(outside, "replay", "slos", *arguments).code == 2
    assert outside.asked == []


def test_no_events_is_wrong_use() -> None:
    assert servicelevel(Outside(), "replay", "slos").code == 2


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("d --requests a b", "d --requests a --requests b"),
        ("d --requests a --early b", "d --requests a --early b"),
        ("d --requests a --changes b -", "d --requests a --changes b --changes -"),
        ("d --requests=a", "d --requests=a"),
        ("--requests a b", "--requests a b"),
        ("", ""),
    ],
)
def test_each_further_file_repeats_the_option(given: str, meant: str) -> None:
    assert spread(given.split()) == meant.split()
