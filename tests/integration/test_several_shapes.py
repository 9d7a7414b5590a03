"""Three topics of three shapes at once, each with its own mapping or none: every event counts once.

What is expected is counted from what was made, before it took any shape.
"""

import json
from collections.abc import Iterable

import orjson
import pytest

from servicelevel.adapters.kafka.topics import create_topics, topic_specs
from servicelevel.bootstrap import read_mappings
from servicelevel.domain.counts import Tally
from servicelevel.settings import Settings
from tests.builders.shapes import as_native, as_nginx, as_otlp, as_span, in_groups
from tests.conftest import Broker
from tests.contract.counting import START_MS, World, event, expected

PARTITIONS = 4
EVENTS = 3_000  # of each shape
LATENESS_MS = 10_000
LATE = 3  # spans of one record


@pytest.fixture
async def world(broker: Broker, topic_prefix: str) -> World:
    world = World(
        Settings(
            brokers=broker.address,
            topic_prefix=topic_prefix,
            group=f"{topic_prefix}sl",
            request_topics=("requests", "nginx", "otlp_spans"),
            mappings={"nginx": "nginx", "otlp_spans": "otlp-spans"},
            flush_interval_ms=50,
            idle_timeout_ms=1_000,
            allowed_lateness_ms=LATENESS_MS,
            session_timeout_ms=6_000,
        )
    )
    client = {"bootstrap_servers": broker.address}
    await create_topics(client, topic_specs(world.settings), replicas=1)
    return world


def spread(values: Iterable[bytes]) -> list[tuple[int, bytes]]:
    return [(n % PARTITIONS, value) for n, value in enumerate(values)]


async def test_three_shapes_are_counted_exactly(world: World) -> None:
    made = [event(n) for n in range(3 * EVENTS)]
    native, lines, spans = made[::3], made[1::3], made[2::3]
    late = [event(n, time_ms=START_MS - LATENESS_MS - 60_000 - n) for n in range(LATE)]
    world.events = [*made, *late]
    await world.write("requests", spread(map(as_native, native)))
    await world.write("nginx", spread(map(as_nginx, lines)))
    await world.write("otlp_spans", spread(map(as_otlp, in_groups(spans))))
    # In one partition, so that what is late is known: three late spans of one record; a record
    # whose good span counts though another is bad; one without any span of a request.
    bad = {**as_span(late[0]), "endTimeUnixNano": "noon"}
    good = event(0)
    world.events.append(good)
    calls = {"scopeSpans": [{"spans": [as_span(good, kind=3)]}]}
    exports = [as_otlp(late), as_otlp([good], bad), orjson.dumps({"resourceSpans": [calls]})]
    await world.write("otlp_spans", [(0, export) for export in exports])
    # A line of one shape on the topic of another is refused, not guessed at.
    await world.write("nginx", [(1, as_native(native[0]))])
    await world.write("requests", [(2, as_nginx(lines[0]))])

    async with world.running("a", mappings=read_mappings(world.settings)) as combiner:
        read = len(world.events) + 3
        await world.until_read(read)
    counts = await world.read_counts()
    assert counts.sums == expected(world.events)
    for partition in range(world.settings.counts_partitions):
        assert counts.tally(partition) == Tally(read, read - LATE - 3, LATE, 3)
    assert combiner.vitals.read == read
    told = [json.loads(value) for topic, _, value in world.writer.sent if topic == "late"]
    assert len({each["id"] for each in told}) == len(told) == LATE
    dead = [json.loads(v)["data"] for topic, _, v in world.writer.sent if topic == "dead-letter"]
    assert sorted((letter["topic"], letter["reason"]) for letter in dead) == [
        ("nginx", "mapping"),
        ("otlp_spans", "mapping"),
        ("requests", "missing_field"),
    ]


async def test_a_record_whose_counts_fit_into_no_message_holds_nothing_up(world: World) -> None:
    """It has spans in so many panes; in one partition with some before it and some after it."""
    before = [event(n) for n in range(20)]
    many = [event(n, time_ms=START_MS + n * 10_000) for n in range(300)]
    after = [event(n, time_ms=many[-1]["time"] + n) for n in range(20)]
    world.events = [*before, *after]
    records = [as_otlp(events) for events in (*in_groups(before), many, *in_groups(after))]
    await world.write("otlp_spans", [(0, record) for record in records])

    running = world.running("a", mappings=read_mappings(world.settings), max_message_bytes=3_000)
    async with running:
        read = len(world.events) + 1
        await world.until_read(read)
    counts = await world.read_counts()
    assert counts.sums == expected(world.events)
    for partition in range(world.settings.counts_partitions):
        assert counts.tally(partition) == Tally(read, read - 1, 0, 1)
    assert counts.largest_bytes <= 3_000
    letters = [json.loads(v)["data"] for topic, _, v in world.writer.sent if topic == "dead-letter"]
    assert {(each["offset"], each["reason"]) for each in letters} == {
        (records.index(as_otlp(many)), "too_many_counts")
    }
    assert "its 300 events count for 300 sums" in letters[0]["detail"]
