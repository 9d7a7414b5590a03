"""A flood: mutated records of all shapes, with events among them that must be counted."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import NamedTuple

from tests.hostile.corpus import REQUESTS, TOPICS, Message, steady, valid
from tests.hostile.mutator import Mutator
from tests.hostile.reference import DeadError, MaybeError, Read, read

SPAN_MS = 500_000  # event time that a flood of any length takes
FUTURE_MS = 300_000
MAX_EVENT_BYTES = 1_048_576
ALLOWED_LATENESS_MS = 600_000  # so that a time ahead, of which some mutate, makes few others late
STEADY_IN = 8  # a steady event after so many mutated ones

DEFINITIONS = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: steady}
spec:
  service: steady
  indicator:
    metadata: {name: steady}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: servicelevel, spec: {where: "status_code < 500"}}}
        total: {metricSource: {type: servicelevel, spec: {event: request}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: every}
spec:
  service: any
  indicator:
    metadata: {name: every}
    spec:
      ratioMetric:
        counter: false
        bad:
          metricSource:
            type: servicelevel
            spec: {service: "*", where: "has(status_code) && status_code >= 500"}
        total: {metricSource: {type: servicelevel, spec: {service: "*"}}}
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.5}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: sizes}
spec:
  service: any
  indicator:
    metadata: {name: sizes}
    spec:
      thresholdMetric:
        metricSource:
          type: servicelevel
          spec:
            service: "*"
            where: "!has(operation) || operation.matches('^([a-z]+ ?)*$')"
            value: attributes.n
            aggregate: p90
            interval: 1m
            groupBy: [attributes.region]
            maxGroups: 20
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1d, isRolling: true}]
  objectives: [{op: lte, value: 5, target: 0.5}]
"""


class Sent(NamedTuple):
    """A record on its way; `steady` is the status code of a steady event."""

    partition: int
    message: Message
    steady: int | None = None


def flood(seed: int, mutated: int, end_ms: int, partitions: int) -> Iterator[Sent]:
    """`mutated` records and the steady events among them, whose times end at `end_ms`.

    Each source begins with a steady event: what is far behind the first one of its source is on
    time, and counted, but soon too old to be kept.
    """
    rng = Random(seed)
    mutator = Mutator(rng)
    for topic, partition in product(TOPICS, range(partitions)):
        yield Sent(partition, steady(topic, end_ms - SPAN_MS, 200), 200)
    for n in range(mutated):
        at = end_ms - SPAN_MS + n * SPAN_MS // mutated
        topic, partition = rng.choice(TOPICS), rng.randrange(partitions)
        yield Sent(partition, mutator.mutated(valid(topic, at, rng)))
        if n % STEADY_IN == 0:
            status = 503 if n % (3 * STEADY_IN) == 0 else 200
            yield Sent(partition, steady(topic, at, status), status)


def expected(sent: Sent, now_ms: int) -> Read | bool | None:
    """What is known beforehand: an event, as it is read if that is known; False: none; None: ?"""
    if sent.steady is not None:
        return True
    if sent.message.topic != REQUESTS:
        return None
    try:
        return read(sent.message, now_ms + FUTURE_MS, MAX_EVENT_BYTES)
    except DeadError:
        return False
    except MaybeError:
        return None
