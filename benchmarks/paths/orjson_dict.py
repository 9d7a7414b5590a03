"""aiokafka, orjson and a dict: what a script would do, its counts lost when it ends.

The three indicators by service and pane of 10 s. Prints also the sums as `counts`.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

PANE_MS = 10_000

Cells = dict[tuple[str, int], list[int]]
"""Good events of the three indicators, and all, by service and end of the pane."""


async def main(address: str, topic: str, events: int) -> None:
    """Prints the result when `events` records were counted."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    cells: Cells = {}
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)
        consumer.assign([TopicPartition(topic, number) for number in found])
        seen, first, started, cpu = 0, 0, 0.0, 0.0
        while seen < events:
            batches = await consumer.getmany(timeout_ms=1_000, max_records=5_000)
            for records in batches.values():
                count(cells, records)
                seen += len(records)
            if seen and not started:
                first, started, cpu = seen, time.perf_counter(), time.process_time()
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    finally:
        await consumer.stop()
    line = {"events": seen - first, "wall_s": wall_s, "cpu_s": cpu_s, "counts": sums(cells)}
    print(json.dumps(line))


def count(cells: Cells, records: Iterable[Any]) -> None:
    """Add records to their cells."""
    for record in records:
        event = orjson.loads(record.value)
        key = event["service"], -(-event["time"] // PANE_MS) * PANE_MS
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = [0, 0, 0, 0]
        up = event["status_code"] < 500
        duration = event["duration_ms"]
        cell[0] += up
        cell[1] += duration < 250.0
        cell[2] += up and duration < 1000.0
        cell[3] += 1


def sums(cells: Cells) -> Mapping[str, list[int]]:
    """Of all panes, by service."""
    found: dict[str, Counter[int]] = {}
    for (service, _), cell in cells.items():
        found.setdefault(service, Counter()).update(dict(enumerate(cell)))
    return {service: [each[n] for n in range(4)] for service, each in found.items()}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
