"""One `servicelevel run` reads several topics, each with a mapping of its own, or none.

What is expected is counted from what was made, before it took any shape; alerts must be those of
`servicelevel replay` over files of the same records.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.builders.shapes import as_native, as_nginx, as_otlp, in_groups
from tests.conftest import Broker
from tests.e2e.shop_load import DEFINITIONS, SERVICES, START_MS
from tests.e2e.system import System
from tests.e2e.test_exactly_once import milliseconds, undated
from tests.e2e.topics import panes, produce
from tests.services.process import wait_until_async

PARTITIONS = 4
PANE_MS = 10_000
EVENTS = 15_000  # a third of each shape
SPAN_MS = 3_000_000
DISPLACED_MS = 8_000  # within the default lateness of 10 s
DONE_S = 120
STOP_S = 30
MAPPINGS = {"requests_nginx": "nginx", "requests_otlp": "otlp-spans"}
TOPICS = ("requests", *MAPPINGS)
Event = dict[str, Any]
Sums = dict[tuple[str, str, int], tuple[int, int]]
"""(good, total) by SLO, objective and pane end in ms."""


@pytest.fixture
def system(broker: Broker, topic_prefix: str, tmp_path: Path) -> System:
    settings = {
        "SERVICELEVEL_REQUEST_TOPICS": ",".join(TOPICS),
        "SERVICELEVEL_MAPPINGS": ",".join(f"{t}={name}" for t, name in MAPPINGS.items()),
    }
    made = System(broker.address, topic_prefix, tmp_path, DEFINITIONS, settings)
    made.call("topics", "create")
    return made


def events() -> Iterator[Event]:
    """For a time the checkout fails, and later the search is slow."""
    rng = random.Random(5)
    for number in range(EVENTS):
        phase = number / EVENTS
        service = rng.choice(SERVICES)
        fails = service == "checkout" and 0.4 < phase < 0.5 and rng.random() < 0.3
        is_slow = service == "search" and 0.6 < phase < 0.75 and rng.random() < 0.5
        yield {
            "id": f"{number:016x}",
            "time": START_MS + max(1, int(phase * SPAN_MS) - rng.randrange(DISPLACED_MS)),
            "service": service,
            "status_code": 503 if fails else 200,
            "duration_ms": rng.choice((350, 1_200)) if is_slow else rng.randrange(1, 250),
        }


def expected(made: Sequence[Event]) -> Sums:
    """Counted in the simplest way there is."""
    sums: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for each in made:
        service, end = each["service"], -(-each["time"] // PANE_MS) * PANE_MS
        for slo, objective, good in (
            (f"{service}-availability", "objective-1", each["status_code"] < 500),
            (f"{service}-latency", "fast", each["duration_ms"] <= 300),
            (f"{service}-latency", "bearable", each["duration_ms"] <= 1_000),
        ):
            counts = sums[slo, objective, end]
            counts[0] += good
            counts[1] += 1
    return {key: (good, total) for key, (good, total) in sums.items()}


async def stored(system: System) -> Sums:
    names = {
        objective.indicator.id: (slo.name, objective.name)
        for slo in load_definitions([system.definitions]).catalogue.slos.values()
        for objective in slo.objectives
    }
    return {
        (*names[indicator], end): (good, total)
        for indicator, end, good, total in panes(await system.entries())
    }


async def test_three_topics_of_three_shapes_are_counted_as_one_service_level(
    system: System,
) -> None:
    made = list(events())
    records = {
        "requests": list(map(as_native, made[::3])),
        "requests_nginx": list(map(as_nginx, made[1::3])),
        "requests_otlp": list(map(as_otlp, in_groups(made[2::3]))),
    }
    # Of another topic's shape: no event.
    records["requests"].append(records["requests_nginx"][0])
    records["requests_nginx"].append(records["requests_otlp"][0])
    records["requests_otlp"].append(records["requests"][0])
    sums, read = expected(made), EVENTS + len(TOPICS)
    last_ms = max(end for _, _, end in sums)

    for topic, values in records.items():
        spread = [(n % PARTITIONS, value) for n, value in enumerate(values)]
        assert await produce(system.broker, system.prefix + topic, spread) == len(values)
    with system.worker() as worker:
        await wait_until_async(
            lambda: system.judged(read, last_ms), DONE_S, what="all judged", interval=0.5
        )
        assert worker.stop(STOP_S) == 0, worker.tail()

    assert await stored(system) == sums
    for sources in await system.tallies():
        assert {name.partition("/")[0] for name in sources} == set(TOPICS)
        tally = [sum(column) for column in zip(*sources.values(), strict=True)]
        assert tally == [read, EVENTS, 0, len(TOPICS)]
    letters = {e["id"]: e["data"]["topic"] for e in await system.told("dead-letter")}
    assert sorted(letters.values()) == sorted(TOPICS)

    told = await system.told("warnings", "breaches")
    live = {
        e["id"]: undated(e) for e in told if not e["data"]["early"] and milliseconds(e) <= last_ms
    }
    replayed = replay(system, records)
    assert live == {e["id"]: undated(e) for e in replayed}
    assert {e["data"]["slo"] for e in replayed} == {"checkout-availability", "search-latency"}


def replay(system: System, records: dict[str, list[bytes]]) -> list[dict[str, Any]]:
    """What a replay tells of a file for each topic, its records in the topic's order."""
    words = ["replay", str(system.definitions)]
    for topic, values in records.items():
        path = system.folder / f"{topic}.ndjson"
        path.write_bytes(b"\n".join(values) + b"\n")
        words += ["--requests", str(path)]
        if topic in MAPPINGS:
            words += ["--mapping", f"{path}={MAPPINGS[topic]}"]
    return [json.loads(line) for line in system.call(*words).splitlines()]
