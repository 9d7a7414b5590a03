"""Retention deletes what was not counted yet: never silently, and the rest is counted exactly."""

from pathlib import Path

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from tests.e2e.shop_load import DEFINITIONS, Load
from tests.e2e.system import System
from tests.e2e.test_workers import check_counts, load_into
from tests.e2e.topics import end_of
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, wait_until_async

EVENTS = 20_000
DONE_S = 120


@pytest.fixture
def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    made = System(kafka.address, topic_prefix, tmp_path, DEFINITIONS)
    made.call("topics", "create")
    return made


async def delete(system: System, topic: str, partition: int, before: int) -> None:
    """Delete a partition's records before an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.broker)
    await admin.start()
    try:
        where = TopicPartition(system.prefix + topic, partition)
        await admin.delete_records({where: RecordsToDelete(before)})
    finally:
        await admin.close()


async def until_read(system: System, worker: ManagedProcess, records: int) -> None:
    """Wait until every counts partition has so many records in its tallies."""

    async def read() -> bool:
        assert worker.poll() is None, worker.tail()
        return await system.read_everything(records)

    await wait_until_async(read, DONE_S, what=f"{records} records read", interval=0.5)


async def test_deleted_records_stop_a_worker_or_are_told_and_gone_without(system: System) -> None:
    half = EVENTS // 2
    assert await load_into(system, Load(51, EVENTS, broken=EVENTS), slice(half)) == half
    with system.worker(0) as worker:
        await until_read(system, worker, half)
        assert worker.stop(30) == 0, worker.tail()
    load = Load(51, EVENTS, broken=EVENTS)
    records = list(load.records())
    assert await load_into(system, Load(51, EVENTS, broken=EVENTS), slice(half, None)) == half
    first = sum(partition == 2 for partition, _ in records[:half])
    lost = [value for partition, value in records if partition == 2][first : first + 700]
    await delete(system, "requests", 2, first + 700)

    with system.worker(1) as worker:
        assert worker.wait(DONE_S) == 70, worker.tail()
        assert f"counted up to offset {first}" in worker.output()
        assert "SERVICELEVEL_ON_GAP=continue" in worker.output()
    assert {e["data"]["reason"] for e in await system.told("dead-letter")} == {"broken_json"}

    system.environment["SERVICELEVEL_ON_GAP"] = "continue"
    with system.worker(2) as worker:
        await until_read(system, worker, EVENTS - 700 + 1)
        assert worker.stop(30) == 0, worker.tail()
    letters = {event["id"]: event["data"] for event in await system.told("dead-letter")}
    (gap,) = [data for data in letters.values() if data["reason"] == "gap"]
    assert (gap["topic"], gap["partition"]) == ("requests", 2)
    assert (gap["offset"], gap["last_offset"]) == (first, first + 699)
    take_out(load, lost)
    await check_counts(system, load)


def take_out(load: Load, lost: list[bytes]) -> None:
    """The oracle without these records, and with one dead letter for all of them."""
    gone = Load(0, 0)
    for value in lost:
        each = orjson.loads(value)
        gone.count(each["service"], each["time"], each["status_code"], each["duration_ms"])
    for key, (good, total) in gone.panes.items():
        load.panes[key][0] -= good
        load.panes[key][1] -= total
    load.events -= len(lost) - 1
    load.dead += 1


async def test_deleted_counts_stop_an_evaluator_always(system: System) -> None:
    system.environment["SERVICELEVEL_ON_GAP"] = "continue"
    assert await load_into(system, Load(52, EVENTS)) == EVENTS
    with system.worker(0) as worker:
        await until_read(system, worker, EVENTS)
        assert worker.stop(30) == 0, worker.tail()
    before = await system.entries()
    counts = system.prefix + "counts"
    ends = await end_of(system.broker, counts)
    assert await load_into(system, Load(53, EVENTS)) == EVENTS
    with system.worker(1, "--role", "combiner") as worker:

        async def more() -> bool:
            return await end_of(system.broker, counts) >= ends + 40

        await wait_until_async(more, DONE_S, what="more counts")
        assert worker.stop(30) == 0, worker.tail()
    await delete(system, "counts", 1, -1)

    with system.worker(2) as worker:
        assert worker.wait(DONE_S) == 70, worker.tail()
        assert "counts/1: messages" in worker.output()
        assert "were deleted before they were evaluated" in worker.output()
    after = await system.entries()
    assert {k: v for k, v in after.items() if k[0] == 1} == {
        k: v for k, v in before.items() if k[0] == 1
    }
