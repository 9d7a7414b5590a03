"""The ceiling for any counting in Python: batches are fetched, events decoded, and dropped.

Records come as `servicelevel run` gets them, without an object of the client's for each.
"""

import asyncio
import gc
import json
import sys
import time

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from servicelevel.adapters.kafka.records import flat, hand_over_raw
from servicelevel.entrypoints.collecting import THRESHOLDS
from servicelevel.schemas.events import Event

BATCHES = 4  # at a time: about as many as stay in the processor's cache


async def main(address: str, topic: str, events: int) -> None:
    """Prints the result when `events` records were decoded."""
    gc.set_threshold(*THRESHOLDS)  # as the worker does
    decode = msgspec.json.Decoder(Event).decode
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        found = await consumer._client._wait_on_metadata(topic)
        hand_over_raw(consumer, in_lists=True)
        consumer.assign([TopicPartition(topic, number) for number in found])
        seen, first, started, cpu = 0, 0, 0.0, 0.0
        while seen < events:
            for batches in (await consumer.getmany(max_records=BATCHES, timeout_ms=1_000)).values():
                records = flat(batches)
                for record in records:
                    decode(record.value or b"")
                seen += len(records)
            if seen and not started:
                first, started, cpu = seen, time.perf_counter(), time.process_time()
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    finally:
        await consumer.stop()
    print(json.dumps({"events": seen - first, "wall_s": wall_s, "cpu_s": cpu_s}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
