"""Seeded request events without end, of all sorts: good, bad, slow, late, and no events at all."""

import json
import random
from collections import deque
from collections.abc import Iterator
from typing import Any

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SPEED = 120  # milliseconds of event time a millisecond
DISPLACED_MS = 8_000
LATENESS_MS = 10_000
LATE_HORIZON_MS = 4 * 3_600_000
REPEATED = 0.1
"""The share of records that are sent again, where repeats are to be left out."""
TOO_FAR_MS = 4_102_444_800_000  # 2100-01-01
PERIOD_MS = 90 * 60_000
"""Each service fails for some minutes of each period."""

SERVICES = ("basket", "catalogue", "checkout", "payment", "search")
REGIONS = ("ap", "eu", "us")
PARTITIONS = 8

_LATE = ((15_000, 60_000), (60_000, 1_800_000), (3_600_000, 5 * 3_600_000))
_BROKEN = (
    b'{"service": "checkout", "time": ',
    b'{"time": 1767225600000, "status_code": 200}',
    b'{"service": "checkout", "status_code": 200}',
    b"\xff\xfe no JSON",
    json.dumps({"service": "checkout", "time": TOO_FAR_MS, "status_code": 200}).encode(),
)


class Traffic:
    """`rate` events a second of the wall clock; times run `SPEED` times as fast.

    With `dedup_records`, some are sent again, up to twice as many records later.
    """

    def __init__(self, seed: int, rate: int, dedup_records: int = 0) -> None:
        self.seed, self.rate, self.dedup_records = seed, rate, dedup_records
        self.newest_ms = START_MS
        self._draw = random.Random(f"repeats {seed}")
        self._sent = [deque[tuple[int, bytes]](maxlen=2 * dedup_records) for _ in range(PARTITIONS)]

    def records(self) -> Iterator[tuple[int, bytes]]:
        """(partition, value), in the order of sending."""
        rng = random.Random(f"traffic {self.seed}")
        number = 0
        while True:
            self.newest_ms = at = START_MS + number * 1_000 * SPEED // self.rate
            record = rng.randrange(PARTITIONS), self._value(rng, number, at)
            yield record
            yield from self._repeats(record)
            number += 1

    def _repeats(self, record: tuple[int, bytes]) -> Iterator[tuple[int, bytes]]:
        if not self.dedup_records:
            return
        sent = self._sent[record[0]]
        sent.append(record)
        if self._draw.random() < REPEATED:
            yield self._draw.choice(sent)

    def marks(self) -> list[tuple[int, bytes]]:
        """A last event of nobody's service in each partition: all panes before are complete."""
        event = {"service": "nobody", "time": self.newest_ms + 3_600_000, "status_code": 200}
        return [(partition, json.dumps(event).encode()) for partition in range(PARTITIONS)]

    def _value(self, rng: random.Random, number: int, at: int) -> bytes:
        draw = rng.random()
        if draw < 0.0005:
            return rng.choice(_BROKEN)
        late = rng.randrange(*rng.choice(_LATE)) if draw < 0.003 else 0
        time_ms = max(START_MS + 1, at - rng.randrange(DISPLACED_MS) - late)
        return json.dumps(self._event(rng, number, time_ms), separators=(",", ":")).encode()

    def _event(self, rng: random.Random, number: int, time_ms: int) -> dict[str, Any]:
        service = rng.choice(SERVICES)
        period, phase = divmod(time_ms - START_MS, PERIOD_MS)
        story = random.Random(f"{self.seed} {service} {period}")
        begin = story.randrange(PERIOD_MS * 2 // 3)
        fails = begin <= phase < begin + story.randrange(5 * 60_000, 25 * 60_000)
        error = rng.random() < (0.3 if fails else 0.001)
        slow = fails and rng.random() < 0.5
        event: dict[str, Any] = {
            "id": f"{self.seed}-{number}",
            "time": time_ms,
            "service": service,
            "operation": f"GET /{service}/{rng.randrange(3)}",
            "status_code": rng.choice((500, 503)) if error else 200,
            "duration_ms": rng.choice((350, 1_200)) if slow else rng.randrange(310),
            "attributes": {"region": rng.choice(REGIONS)},
        }
        if rng.random() < 0.01:
            del event["status_code"]  # neither good nor bad: it cannot be told
        return event
