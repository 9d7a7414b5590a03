"""Quix Streams: a tumbling window of 10 s by service, its default state (RocksDB and changelog).

Two counters as one reduction; run by the Python of the environment `bench`.
"""

import json
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any

from quixstreams import Application

PANE = timedelta(seconds=10)


def started(event: dict[str, Any]) -> dict[str, int]:
    return added({"good": 0, "total": 0}, event)


def added(counts: dict[str, int], event: dict[str, Any]) -> dict[str, int]:
    good = counts["good"] + (event["status_code"] < 500)
    return {"good": good, "total": counts["total"] + 1}


def event_time(value: Any, *_: Any) -> int:
    """The event's own time, in ms."""
    at: int = value["time"]
    return at


class Clock:
    """Prints the result at the last event and stops the application."""

    def __init__(self, app: Application, events: int) -> None:
        self._app = app
        self._events = events
        self._seen = 0
        self._started = self._cpu = 0.0

    def tick(self, _value: Any) -> None:
        self._seen += 1
        if self._seen == 1:
            self._started, self._cpu = time.perf_counter(), time.process_time()
        elif self._seen == self._events:
            wall_s = time.perf_counter() - self._started
            cpu_s = time.process_time() - self._cpu
            line = {"events": self._seen - 1, "wall_s": wall_s, "cpu_s": cpu_s}
            print(json.dumps(line), flush=True)
            self._app.stop()


def main(address: str, topic: str, events: int) -> None:
    """Counts by service without regrouping: each partition holds counts of its own."""
    app = Application(
        broker_address=address,
        consumer_group=f"quix-{topic}",
        auto_offset_reset="earliest",
        state_dir=tempfile.mkdtemp(prefix="quix-"),
        loglevel="WARNING",
    )
    source = app.topic(topic, value_deserializer="json", timestamp_extractor=event_time)
    clock = Clock(app, events)
    frame = app.dataframe(source)
    frame = frame.tumbling_window(PANE).reduce(reducer=added, initializer=started).current()
    frame.update(clock.tick)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
