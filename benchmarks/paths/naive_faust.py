"""Faust as its guide shows it: a JSON record, two tumbling tables, one `+= 1` an event each."""

import json
import os
import sys
import tempfile
import time
from typing import Any

import faust

PANE_S = 10


class Request(faust.Record, serializer="json"):
    """The fields that are counted by."""

    id: str
    time: int
    service: str
    operation: str
    status_code: int
    duration_ms: float


def build(address: str, topic: str, events: int, partitions: int) -> faust.App:
    """The app; at the last event it prints the result and ends the process."""
    app = faust.App(
        f"naive-{topic}",
        broker=f"kafka://{address}",
        web_enabled=False,
        broker_session_timeout=10,
        broker_heartbeat_interval=3,
        consumer_auto_offset_reset="earliest",
        topic_partitions=partitions,
        datadir=tempfile.mkdtemp(prefix="naive-faust-"),
        autodiscover=False,
    )
    source = app.topic(topic, value_type=Request)
    total = app.Table("total", default=int, partitions=partitions).tumbling(PANE_S)
    good = app.Table("good", default=int, partitions=partitions).tumbling(PANE_S)

    @app.agent(source)
    async def count(stream: Any) -> None:
        seen, started, cpu = 0, 0.0, 0.0
        async for event in stream:
            total[event.service] += 1
            if event.status_code < 500:
                good[event.service] += 1
            seen += 1
            if seen == 1:
                started, cpu = time.perf_counter(), time.process_time()
            elif seen == events:
                wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
                line = json.dumps({"events": seen - 1, "wall_s": wall_s, "cpu_s": cpu_s})
                print(line, file=sys.__stdout__, flush=True)  # Faust takes sys.stdout for its log
                os._exit(0)  # nothing of what it holds is wanted

    return app


if __name__ == "__main__":
    address, topic, events, partitions = sys.argv[1:]
    app = build(address, topic, int(events), int(partitions))
    sys.argv = [sys.argv[0], "worker", "--loglevel", "warn", "--without-web"]
    app.main()
