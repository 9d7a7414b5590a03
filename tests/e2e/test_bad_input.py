"""What is no event becomes a dead letter, once and whole, and all others are counted.

Through `servicelevel run`, also where it is killed; each record's fate is known when it is sent.
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.conftest import Broker
from tests.e2e.hostile import DEFINITIONS, MAX_EVENT_BYTES, Fate, Record, event, records
from tests.e2e.system import System
from tests.e2e.topics import end_of, panes
from tests.services.process import wait_until_async

PARTITIONS = 4
DONE_S = 120
STOP_S = 30
MAX_TOLD_BYTES = 512 * 1024  # of a record; with its base64 a message stays below 1 MiB
Place = tuple[int, int]
"""(partition, offset)."""


@pytest.fixture
def system(broker: Broker, topic_prefix: str, tmp_path: Path) -> System:
    settings = {
        "SERVICELEVEL_MAX_EVENT_BYTES": str(MAX_EVENT_BYTES),
        "SERVICELEVEL_IDLE_TIMEOUT_MS": "2000",
    }
    made = System(broker.address, topic_prefix, tmp_path, DEFINITIONS, settings)
    made.call("topics", "create")
    return made


async def send(system: System, what: Iterable[Record]) -> dict[Place, Record]:
    """Send records, each partition's in order; where each of them is."""
    producer = AIOKafkaProducer(
        bootstrap_servers=system.broker, linger_ms=20, max_request_size=4 << 20
    )
    await producer.start()
    try:
        sent = [
            (
                record,
                await producer.send(
                    system.prefix + "requests",
                    record.value,
                    key=b"k",
                    partition=record.partition,
                    headers=list(record.headers),
                ),
            )
            for record in what
        ]
        await producer.flush()
        return {(r.partition, (await done).offset): r for r, done in sent}
    finally:
        await producer.stop()


async def asides(system: System, topic: str) -> dict[str, dict[str, Any]]:
    """The events on `late` or `dead-letter` by id; repeats must say the same.

    The `detail` is words for people; unit tests hold it.
    """
    found: dict[str, dict[str, Any]] = {}
    for told in await system.told(topic):
        told["data"].pop("detail", None)
        assert found.setdefault(told["id"], told) == told, "one id, two contents"
    return found


async def check(system: System, sent: dict[Place, Record]) -> None:
    """Each record has met its fate, by what is stored and told."""
    expected = Counter(kind_of(record.fate) for record in sent.values())
    for sources in await system.tallies():
        read, counted, late, dead = (sum(column) for column in zip(*sources.values(), strict=True))
        assert counted + late + dead == read == len(sent)
        assert (counted, late, dead) == (
            expected["counted"],
            expected["late"],
            expected["dead-letter"],
        )
    stored = list(panes(await system.entries()))
    assert (sum(p[2] for p in stored), sum(p[3] for p in stored)) == (
        sum(record.fate.good for record in sent.values()),
        sum(record.fate.total for record in sent.values()),
    )
    for topic, says in (("dead-letter", "reason"), ("late", "disposition")):
        told = await asides(system, topic)
        assert {told_id: (place_of(e), e["data"][says], raw(e)) for told_id, e in told.items()} == {
            f"{topic}/requests/{partition}/{offset}": (
                ("requests", partition, offset),
                record.fate.aside,
                record.value and record.value[:MAX_TOLD_BYTES],
            )
            for (partition, offset), record in sent.items()
            if kind_of(record.fate) == topic
        }


def kind_of(fate: Fate) -> str:
    if fate.aside is None:
        return "counted"
    return "late" if fate.aside in ("revision", "dropped") else "dead-letter"


def place_of(told: dict[str, Any]) -> tuple[str, int, int]:
    data = told["data"]
    return data["topic"], data["partition"], data["offset"]


def raw(told: dict[str, Any]) -> bytes | None:
    coded = told["data"]["value_base64"]
    return None if coded is None else base64.b64decode(coded, validate=True)


async def until_read(system: System, count: int) -> None:
    await wait_until_async(
        lambda: system.read_everything(count), DONE_S, what=f"{count} records read", interval=0.3
    )


async def test_each_bad_record_is_a_dead_letter_and_the_stream_goes_on(system: System) -> None:
    now = time.time_ns() // 1_000_000
    what = list(records(now, PARTITIONS, rounds=2))
    with system.worker() as worker:
        sent = await send(system, what[: len(what) // 2])
        await until_read(system, len(sent))
        sent |= await send(system, what[len(what) // 2 :])
        await until_read(system, len(sent))
        assert worker.stop(STOP_S) == 0, worker.tail()

    await check(system, sent)
    for topic in ("dead-letter", "late"):  # nothing was killed: not even a repeat
        assert len(await system.told(topic)) == len(await asides(system, topic))


async def test_bad_records_survive_a_worker_that_is_killed(system: System) -> None:
    now = time.time_ns() // 1_000_000
    what = list(records(now, PARTITIONS, rounds=6))
    sent: dict[Place, Record] = {}
    third = len(what) // 3
    parts = [what[:third], what[third : 2 * third], what[2 * third :]]
    for number, part in enumerate(parts[:2]):
        with system.worker(number) as worker:
            letters = await end_of(system.broker, system.prefix + "dead-letter")
            sent |= await send(system, part)

            async def some_told(before: int = letters) -> bool:
                return await end_of(system.broker, system.prefix + "dead-letter") > before

            await wait_until_async(some_told, DONE_S, what="dead letters", interval=0.02)
            assert worker.poll() is None, worker.tail()
            worker.kill()
    sent |= await send(system, parts[2])
    with system.worker(2) as worker:
        await until_read(system, len(sent))
        assert worker.stop(STOP_S) == 0, worker.tail()

    await check(system, sent)


async def test_a_record_as_large_as_the_broker_takes_becomes_a_dead_letter(
    system: System,
) -> None:
    """Its base64 text would be larger than what a broker takes: it is cut, and says so."""
    now = time.time_ns() // 1_000_000
    what = [
        Record(0, event(now - 60_000), (), Fate(None, 1, 1)),
        Record(0, b"x" * 1_000_000, (), Fate("too_large")),
        Record(0, event(now - 59_000), (), Fate(None, 1, 1)),
    ]
    sent = await send(system, what)
    with system.worker() as worker:
        await wait_until_async(
            lambda: _read_or_ended(system, worker, len(sent)), DONE_S, what="all read", interval=0.3
        )
        assert worker.poll() is None, worker.tail()
        assert worker.stop(STOP_S) == 0, worker.tail()
    await check(system, sent)
    (letter,) = (await asides(system, "dead-letter")).values()
    assert letter["data"]["value_bytes"] == 1_000_000


async def _read_or_ended(system: System, worker: Any, count: int) -> bool:
    return worker.poll() is not None or await system.read_everything(count)


async def test_failures_of_many_long_operations_fit_what_is_stored(
    system: System,
) -> None:
    """A quarter of an hour of failures, each of an operation that is a long text of its own.

    The origin of failures is kept with the counts of 15 minutes, in one entry of the changelog.
    """
    start = time.time_ns() // 1_000_000 // 900_000 * 900_000 - 1_800_000
    what = [
        Record(
            0,
            event(
                start + number * 250, status_code=500, operation=f"{number}" + "\U0001f600" * 300
            ),
            (),
            Fate(None, 0, 1),
        )
        for number in range(1, 3_600)
    ]
    sent = await send(system, what)
    with system.worker() as worker:
        await wait_until_async(
            lambda: _read_or_ended(system, worker, len(sent)), DONE_S, what="all read", interval=0.3
        )
        assert worker.poll() is None, worker.tail()
        assert worker.stop(STOP_S) == 0, worker.tail()
    await check(system, sent)


async def test_incidents_and_changes_are_refused_the_same_way(system: System) -> None:
    """Other kinds go the same way; what is good of them has no indicator here."""
    now = time.time_ns() // 1_000_000
    good = {"service": "shop", "time": now - 1_000}
    per_topic: dict[str, list[tuple[dict[str, Any], str | None]]] = {
        "incidents": [
            ({**good, "incident_id": "i1", "state": "opened"}, None),
            ({**good, "incident_id": "i1", "state": "exploded"}, "out_of_range"),
            (good, "missing_field"),
        ],
        "changes": [
            ({**good, "kind": "deployment"}, None),
            ({**good, "kind": "deployment", "ends_at": "soon"}, "bad_time"),
            (good, "missing_field"),
        ],
    }
    producer = AIOKafkaProducer(bootstrap_servers=system.broker)
    await producer.start()
    try:
        for topic, cases in per_topic.items():
            for value, _ in cases:
                raw_value = json.dumps(value).encode()
                await producer.send_and_wait(system.prefix + topic, raw_value, partition=1)
    finally:
        await producer.stop()
    expected = {
        f"dead-letter/{topic}/1/{offset}": reason
        for topic, cases in per_topic.items()
        for offset, (_, reason) in enumerate(cases)
        if reason
    }
    with system.worker() as worker:

        async def all_told() -> bool:
            return len(await asides(system, "dead-letter")) >= len(expected)

        await wait_until_async(all_told, DONE_S, what="the dead letters", interval=0.3)
        assert worker.stop(STOP_S) == 0, worker.tail()
    told = await asides(system, "dead-letter")
    assert {told_id: e["data"]["reason"] for told_id, e in told.items()} == expected
