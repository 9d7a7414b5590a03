"""aiokafka alone: fetch everything, look at nothing."""

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition


async def main(address: str, topic: str, events: int) -> None:
    """Prints the result when `events` records were fetched."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)
        consumer.assign([TopicPartition(topic, number) for number in found])
        seen, first, started, cpu = 0, 0, 0.0, 0.0
        while seen < events:
            batches = await consumer.getmany(timeout_ms=1_000, max_records=20_000)
            seen += sum(map(len, batches.values()))
            if seen and not started:
                first, started, cpu = seen, time.perf_counter(), time.process_time()
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    finally:
        await consumer.stop()
    print(json.dumps({"events": seen - first, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
