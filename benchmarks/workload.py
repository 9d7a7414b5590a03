"""The events that every path counts, and what the counts must come to."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaProducer

SERVICES = ("checkout", "catalogue", "search", "account", "shipping")
SPREAD_MS = 600_000  # event time that the whole load covers
BATCH_BYTES = 256 * 1024
REGIONS = ("eu", "us", "ap")

INDICATORS: Mapping[str, tuple[str, float]] = {
    "availability": ("status_code < 500", 0.999),
    "fast": ("duration_ms < 250.0", 0.95),
    "served": ("status_code < 500 && duration_ms < 1000.0", 0.99),
}
"""Predicate of the good events, in CEL, and target."""


@dataclass(frozen=True, slots=True)
class Request:
    """One event; `good` are the names of the indicators that it is good for.

    `part` is the partition that it goes to; None: partitions take turns.
    """

    service: str
    value: bytes
    good: tuple[str, ...]
    part: int | None = None


def requests(
    count: int,
    first_ms: int,
    seed: int = 1,
    services: Sequence[str] = SERVICES,
    spread_ms: int = SPREAD_MS,
) -> Iterator[Request]:
    """`count` events of about 176 bytes in order of time, within `spread_ms` from `first_ms` on."""
    draw = random.Random(seed)
    for number in range(count):
        service = draw.choice(services)
        status = 503 if draw.random() < 0.002 else 200
        duration = draw.randint(1, 4_000) / 16
        if draw.random() < 0.01:
            duration *= 5
        at = first_ms + number * spread_ms // count
        value = (
            f'{{"id":"{number:027d}","time":{at},"service":"{service}",'
            f'"operation":"POST /v1/items","status_code":{status},"duration_ms":{duration:.4f},'
            f'"attributes":{{"region":"{draw.choice(REGIONS)}"}}}}'
        )
        good = (status < 500, duration < 250.0, status < 500 and duration < 1000.0)
        names = tuple(name for name, yes in zip(INDICATORS, good, strict=True) if yes)
        yield Request(service, value.encode(), names)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded; `counts` is (good, total) of each service and indicator."""

    events: int
    mean_bytes: float
    counts: Mapping[tuple[str, str], tuple[int, int]]


async def load(
    address: str,
    topic: str,
    partitions: int,
    events: Iterable[Request],
    compression: str | None = None,
) -> Loaded:
    """Write the events, keyed by service, event `n` to partition `n mod partitions` or its own."""
    good: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    size = 0
    producer = AIOKafkaProducer(
        bootstrap_servers=address,
        max_batch_size=BATCH_BYTES,
        linger_ms=5,
        acks="all",
        compression_type=compression,
    )
    await producer.start()
    try:
        batches = [producer.create_batch() for _ in range(partitions)]
        for number, event in enumerate(events):
            part = number % partitions if event.part is None else event.part
            total[event.service] += 1
            good.update((event.service, name) for name in event.good)
            size += len(event.value)
            if (
                batches[part].append(key=event.service.encode(), value=event.value, timestamp=None)
                is None
            ):
                await producer.send_batch(batches[part], topic, partition=part)
                batches[part] = producer.create_batch()
                batches[part].append(key=event.service.encode(), value=event.value, timestamp=None)
        for part, batch in enumerate(batches):
            await producer.send_batch(batch, topic, partition=part)
    finally:
        await producer.stop()  # sends what is left, and waits for it
    counts = {
        (service, name): (good[service, name], events_of)
        for service, events_of in total.items()
        for name in INDICATORS
    }
    return Loaded(total.total(), size / max(total.total(), 1), counts)


def many_indicators(count: int) -> dict[str, tuple[str, float]]:
    """So many indicators, no two alike: by status, by duration, and by both."""
    shapes = (
        "duration_ms < {slow}",
        "status_code < 500 && duration_ms < {slow}",
        "status_code < {status}",
        "status_code < {status} && duration_ms < {slow}",
    )
    found = {}
    for n in range(count):
        good = shapes[n % len(shapes)].format(slow=f"{250 - 2.25 * n}", status=500 + n // 4)
        found[f"i{n}"] = (good, 0.5)
    return found


def write_definitions(
    folder: Path,
    services: Sequence[str] = SERVICES,
    indicators: Mapping[str, tuple[str, float]] = INDICATORS,
    group_by: Sequence[str] = (),
) -> None:
    """OpenSLO files: a service level for each service and indicator, and each group of these."""
    folder.mkdir(parents=True, exist_ok=True)
    documents: list[dict[str, Any]] = []
    for service in services:
        named = {"metadata": {"name": service}, "spec": {"description": f"The {service} service."}}
        documents.append({"apiVersion": "openslo/v1", "kind": "Service", **named})
        for name, each in indicators.items():
            documents.append(_slo(service, name, *each, group_by))
    (folder / "benchmark.yaml").write_text(yaml.safe_dump_all(documents, sort_keys=False))


def _slo(
    service: str, indicator: str, where: str, target: float, group_by: Sequence[str]
) -> dict[str, Any]:
    spec = {"event": "request", **({"groupBy": list(group_by)} if group_by else {})}
    source = {"type": "servicelevel", "spec": spec}
    good = {"type": "servicelevel", "spec": {**spec, "where": where}}
    ratio = {"counter": False, "good": {"metricSource": good}, "total": {"metricSource": source}}
    name = f"{service}-{indicator}"
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name},
        "spec": {
            "service": service,
            "indicator": {"metadata": {"name": name}, "spec": {"ratioMetric": ratio}},
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": "30d", "isRolling": True}],
            "objectives": [{"displayName": indicator, "target": target}],
        },
    }
