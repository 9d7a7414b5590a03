"""A seeded load of request events, and an oracle that counts it with code of its own."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

SERVICES = ("basket", "catalogue", "checkout", "payment", "search")
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PANE_MS = 10_000
DISPLACED_MS = 8_000  # within the default lateness of 10 s

DEFINITIONS = "\n---\n".join(
    f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {service}-availability}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {service}-availability}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: servicelevel, spec: {{where: "status_code < 500"}}}}}}
        total: {{metricSource: {{type: servicelevel, spec: {{event: request}}}}}}
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives: [{{target: 0.999}}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {service}-latency}}
spec:
  service: {service}
  indicator:
    metadata: {{name: {service}-latency}}
    spec:
      thresholdMetric:
        metricSource: {{type: servicelevel, spec: {{value: duration_ms}}}}
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  objectives:
    - {{displayName: fast, op: lte, value: 300, target: 0.9}}
    - {{displayName: bearable, op: lte, value: 1000, target: 0.99}}"""
    for service in SERVICES
)

Pane = tuple[str, str, int]
"""(SLO, objective, pane end in ms)."""


@dataclass
class Load:
    """`events` over `hours` of event time, spread over `partitions`; one in `broken` is broken."""

    seed: int
    events: int
    partitions: int = 4
    hours: float = 2.0
    broken: int = 10_007
    panes: dict[Pane, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    dead: int = 0

    def records(self) -> Iterator[tuple[int, bytes]]:
        """(partition, value) in the order of sending; counts what it yields."""
        rng = random.Random(self.seed)
        span_ms = int(self.hours * 3_600_000)
        for number in range(self.events):
            at = number * span_ms // self.events
            time_ms = START_MS + max(1, at - rng.randrange(DISPLACED_MS))
            partition = rng.randrange(self.partitions)
            if number % self.broken == 1:
                self.dead += 1
                yield partition, b'{"service": "checkout", "time": '
                continue
            yield partition, orjson.dumps(self._event(rng, number, at / span_ms, time_ms))

    def _event(self, rng: random.Random, number: int, phase: float, at: int) -> dict[str, Any]:
        service = rng.choice(SERVICES)
        fails = service == "checkout" and 0.4 < phase < 0.5
        slow = service == "search" and 0.6 < phase < 0.75
        status = 503 if rng.random() < (0.3 if fails else 0.0002) else 200
        duration = rng.choice((350, 1_200)) if slow and rng.random() < 0.5 else rng.randrange(290)
        self.count(service, at, status, duration)
        return {
            "id": f"{self.seed}-{number}",
            "time": at,
            "service": service,
            "operation": "GET /" + service,
            "status_code": status,
            "duration_ms": duration,
            "attributes": {"region": "eu", "customer": "acme"},
        }

    def count(self, service: str, at: int, status: int, duration: int) -> None:
        """Add one event to the panes."""
        end = (at + PANE_MS - 1) // PANE_MS * PANE_MS
        for slo, objective, good in (
            (f"{service}-availability", "objective-1", status < 500),
            (f"{service}-latency", "fast", duration <= 300),
            (f"{service}-latency", "bearable", duration <= 1000),
        ):
            counts = self.panes[slo, objective, end]
            counts[0] += good
            counts[1] += 1

    def totals(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(good, total) by SLO and objective."""
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
        for (slo, objective, _), (good, total) in self.panes.items():
            sums[slo, objective][0] += good
            sums[slo, objective][1] += total
        return {key: (good, total) for key, (good, total) in sums.items()}
