"""Reads all that a run left behind: topics, table, commits, Redis; and replays the input."""

import asyncio
import json
from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from servicelevel.adapters.files.definitions import load_definitions
from tests.chaos.counts_log import read_counts
from tests.chaos.expected import Record, Series, expect
from tests.chaos.outcome import Aside, Outcome, Pane
from tests.chaos.promises import SLIS
from tests.chaos.system import PREFIX, ChaosSystem
from tests.chaos.traffic import LATE_HORIZON_MS, LATENESS_MS, PARTITIONS
from tests.e2e.topics import panes_of_series, read_all, reader, table


async def collect(chaos: ChaosSystem, dedup_records: int) -> Outcome:
    """Of a system whose workers have all stopped."""
    address, system = chaos.broker.address, chaos.system
    indicators = _indicators(chaos)
    entries = await table(address, chaos.changelog)
    replayed = await asyncio.to_thread(
        system.call,
        *("replay", str(system.definitions), "--topic", "requests"),
        *("--dedup-records", str(dedup_records)),
    )
    return Outcome(
        expected=expect(
            await _requests(address),
            SLIS,
            lateness_ms=LATENESS_MS,
            horizon_ms=LATE_HORIZON_MS,
            dedup_records=dedup_records,
        ),
        counts=read_counts(
            (seen.partition, seen.value or b"")
            for seen in await read_all(address, f"{PREFIX}counts")
        ),
        stored=_stored(entries, indicators),
        commits=await _commits(chaos),
        tallies={
            partition: {name: raw[5] for name, raw in value["sources"].items()}
            for (partition, key), value in entries.items()
            if key == "p"
        },
        told=await system.told("warnings", "breaches"),
        replayed=[json.loads(line) for line in replayed.splitlines()],
        asides=await _asides(chaos),
        statuses=await _statuses(address),
        mirrored={
            key: json.loads(value)
            for key, value in (await asyncio.to_thread(chaos.mirrored, "status")).items()
        },
        mirrored_open=set(await asyncio.to_thread(chaos.mirrored, "open")),
        indicators=indicators,
        complete_to_ms=chaos.progress.complete_to_ms(),
        unexpected=[*chaos.workers.unexpected, *chaos.unsettled],
    )


def _indicators(chaos: ChaosSystem) -> dict[str, tuple[str, str]]:
    """Names of what is counted: the one thing that the product is asked, as ids are digests."""
    return {
        objective.indicator.id: (slo.name, objective.name)
        for slo in load_definitions([chaos.system.definitions]).catalogue.slos.values()
        for objective in slo.objectives
    }


async def _requests(address: str) -> list[Record]:
    topic = f"{PREFIX}requests"
    partitions = [TopicPartition(topic, n) for n in range(PARTITIONS)]
    found: list[Record] = []
    async with reader(address) as consumer:
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        while not await _is_read(consumer, ends):
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                found += [
                    Record(partition.partition, r.offset, r.timestamp, r.value) for r in records
                ]
    return found


async def _is_read(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return all([await consumer.position(p) >= end for p, end in ends.items()])


def _stored(
    entries: dict[tuple[int, str], Any], indicators: dict[str, tuple[str, str]]
) -> dict[Series, list[Pane]]:
    found: dict[Series, list[Pane]] = defaultdict(list)
    for series, end, good, total in panes_of_series(entries):
        indicator, _, group = series.partition("/")
        found[(*indicators[indicator], group)].append((end, good, total))
    return dict(found)


async def _commits(chaos: ChaosSystem) -> dict[int, int]:
    group = chaos.system.environment["SERVICELEVEL_GROUP"]
    admin = AIOKafkaAdminClient(bootstrap_servers=chaos.broker.address)
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(f"{group}-combiner")
    finally:
        await admin.close()
    return {
        partition.partition: commit.offset
        for partition, commit in found.items()
        if partition.topic == f"{PREFIX}requests"
    }


async def _asides(chaos: ChaosSystem) -> list[Aside]:
    found: list[Aside] = []
    for topic in ("dead-letter", "late"):
        for event in await chaos.system.told(topic):
            data = event["data"]
            where = data["partition"], data["offset"]
            found.append((topic, *where, data.get("disposition")))
    return found


async def _statuses(address: str) -> dict[str, dict[str, Any]]:
    last: dict[str, dict[str, Any]] = {}
    for seen in await read_all(address, f"{PREFIX}status"):
        key = (seen.key or b"").decode()
        last.pop(key, None)
        if seen.value is not None:
            last[key] = json.loads(seen.value)
    return last
