"""Definitions that change while workers run: counts go on, a broken set is refused."""

import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.domain.model import Slo
from tests.builders.availability import availability
from tests.conftest import Broker
from tests.e2e.system import System
from tests.e2e.topics import panes, produce
from tests.services.process import ManagedProcess, wait_until_async

SEEN_S = 90
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
BATCH_MS = 600_000
SETTINGS = {"SERVICELEVEL_IDLE_TIMEOUT_MS": "500", "SERVICELEVEL_LOG_FORMAT": "json"}
EVENTS = 70
"""Of a batch and service; one in seven fails."""


def definitions(**targets: float) -> str:
    """An SLO by service and target."""
    return "---\n".join(availability(service, target) for service, target in targets.items())


def slo(system: System, service: str) -> Slo:
    """As it is in the file now."""
    return load_definitions([system.definitions]).catalogue.slos[f"{service}-ok"]


def batch(
    number: int, services: Iterable[str], partitions: Iterable[int]
) -> list[tuple[int, bytes]]:
    """Ten minutes after the batch before: events of each service, over some partitions."""
    to = list(partitions)
    start = START_MS + number * BATCH_MS
    events = [
        (to[n % len(to)], service, start + n * 100, 500 if n % 7 == 0 else 200)
        for n in range(EVENTS)
        for service in services
    ]
    # A minute later, of nobody's service: what came before is complete.
    marks = [(partition, "nobody", start + 60_000, 200) for partition in to]
    return [
        (
            partition,
            json.dumps({"service": service, "time": time, "status_code": status}).encode(),
        )
        for partition, service, time, status in (*events, *marks)
    ]


async def statuses(system: System, service: str) -> list[dict[str, Any]]:
    """All that were told, in order."""
    told = await system.told("status")
    return [event["data"] for event in told if event["data"]["slo"] == f"{service}-ok"]


async def until_told(
    worker: ManagedProcess, system: System, service: str, **wanted: Any
) -> dict[str, Any]:
    """The first status that has these values."""

    async def found() -> dict[str, Any] | None:
        assert worker.poll() is None, worker.tail()
        fitting = (s for s in await statuses(system, service) if s.items() >= wanted.items())
        return next(fitting, None)

    return await wait_until_async(
        found, SEEN_S, what=f"a status of {service} with {wanted}", interval=0.3
    )


def lines(worker: ManagedProcess) -> list[dict[str, Any]]:
    """What it logged, of what is JSON."""
    return [json.loads(line) for line in worker.output().splitlines() if line.startswith("{")]


def count(worker: ManagedProcess, event: str) -> int:
    return sum(line["event"] == event for line in lines(worker))


def refusals(worker: ManagedProcess, start: str) -> list[str]:
    """The problems told that begin so."""
    told = (line for line in lines(worker) if line["event"] == "definition refused")
    return [line["problem"] for line in told if line["problem"].startswith(start)]


@dataclass(frozen=True)
class Way:
    """How a worker is run, and how it hears of a change."""

    arguments: tuple[str, ...]
    tell: Callable[[ManagedProcess], None]
    workers: int = 1


def hang_up(worker: ManagedProcess) -> None:
    os.kill(worker.pid, signal.SIGHUP)  # this process alone, as systemd's ExecReload does


def leave_alone(_: ManagedProcess) -> None:
    """It watches the file itself."""


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(Way(("--watch",), leave_alone), id="watch"),
        pytest.param(Way((), hang_up), id="hangup"),
        pytest.param(Way(("--workers", "2"), hang_up, 2), id="supervised-hangup"),
        pytest.param(Way(("--workers", "2", "--watch"), leave_alone, 2), id="supervised-watch"),
    ],
)
async def test_counts_go_on_under_new_targets_and_a_broken_set_is_refused(
    embedded_address: str, topic_prefix: str, tmp_path: Path, way: Way
) -> None:
    system = System(embedded_address, topic_prefix, tmp_path, definitions(shop=0.9), SETTINGS)
    system.call("topics", "create")
    requests = f"{system.prefix}requests"
    digest = slo(system, "shop").digest
    with system.worker(0, *way.arguments) as worker:
        await produce(system.broker, requests, batch(0, ["shop"], [0]))
        first = await until_told(worker, system, "shop", total=EVENTS)
        assert (first["definition_digest"], first["target"]) == (digest, 0.9)
        worker.until(
            lambda: count(worker, "worker starts") == way.workers, SEEN_S, what="all workers"
        )

        system.definitions.write_text(definitions(shop=0.5))
        way.tell(worker)
        worker.until(
            lambda: count(worker, "definitions changed") == way.workers, SEEN_S, what="the change"
        )
        new_digest = slo(system, "shop").digest
        assert new_digest != digest
        await produce(system.broker, requests, batch(1, ["shop"], [0]))
        second = await until_told(worker, system, "shop", total=2 * EVENTS)
        assert (second["definition_digest"], second["target"]) == (new_digest, 0.5)
        assert second["good"] == 2 * (EVENTS - EVENTS // 7)

        system.definitions.write_text(definitions(shop=0.7) + "  nonsense: 1\n")
        way.tell(worker)
        worker.until(
            lambda: len(refusals(worker, f"{system.definitions}:16:3: ")) >= way.workers,
            SEEN_S,
            what="the refusal",
        )
        await produce(system.broker, requests, batch(2, ["shop"], [0]))
        third = await until_told(worker, system, "shop", total=3 * EVENTS)
        assert third["definition_digest"] == new_digest

        system.definitions.write_text(definitions(shop=0.7, cart=0.5))
        way.tell(worker)
        worker.until(
            lambda: count(worker, "definitions changed") == 2 * way.workers,
            SEEN_S,
            what="the second change",
        )
        await produce(system.broker, requests, batch(3, ["shop", "cart"], [0]))
        await until_told(
            worker,
            system,
            "shop",
            total=4 * EVENTS,
            definition_digest=slo(system, "shop").digest,
        )
        await until_told(worker, system, "cart", total=EVENTS)
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(SEEN_S) == 0, worker.tail()

    first_change, *_, last_change = (
        line for line in lines(worker) if line["event"] == "definitions changed"
    )
    assert (first_change["changed"], first_change["added"]) == (["shop-ok"], [])
    assert (last_change["changed"], last_change["added"]) == (["shop-ok"], ["cart-ok"])
    assert last_change["counted_from_now_on"] == ["cart-ok/objective-1"]
    if way.workers == 1:  # it never left its groups, nor claimed anything anew
        claimed = [e for e in lines(worker) if e["event"].startswith("counting requests/0 ")]
        assert len(claimed) == 1
    for status in await statuses(system, "shop"):
        assert status["definition_digest"] in (digest, new_digest, slo(system, "shop").digest)
        assert (status["definition_digest"] == digest) == (status["target"] == 0.9)


async def test_a_change_that_comes_to_one_worker_after_the_other_loses_nothing(
    broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    """Half of a group knows another SLO for a while, as during a rolling change."""
    for name in ("behind", "ahead"):
        (tmp_path / name).mkdir()
    behind = System(
        broker.address, topic_prefix, tmp_path / "behind", definitions(shop=0.9), SETTINGS
    )
    ahead = System(
        broker.address,
        topic_prefix,
        tmp_path / "ahead",
        definitions(shop=0.9, cart=0.5),
        SETTINGS,
    )
    behind.call("topics", "create")
    requests = f"{topic_prefix}requests"
    with behind.worker() as first, ahead.worker() as second:
        both = (first, second)

        def shared() -> bool:
            holders = {holder(both, n) for n in range(4)}
            return holders == {0, 1}

        await wait_until_async(shared, SEEN_S, what="a share for each", interval=0.3)
        known = batch(0, ["shop", "cart"], range(4))
        await produce(behind.broker, requests, known)
        await wait_until_async(
            lambda: behind.read_everything(len(known)), SEEN_S, what="all read", interval=0.3
        )
        holders = {n: holder(both, n) for n in range(4)}

        behind.definitions.write_text(ahead.definitions.read_text())
        hang_up(first)
        first.until_output("definitions changed", SEEN_S)
        new = batch(1, ["shop", "cart"], range(4))
        await produce(behind.broker, requests, new)
        await wait_until_async(
            lambda: behind.read_everything(len(known) + len(new)),
            SEEN_S,
            what="all read",
            interval=0.3,
        )
        counted_early = [value for partition, value in known if holders[partition] == 1]
        wanted = counts([*counted_early, *(value for _, value in new)], "cart")
        assert 0 < wanted[1] - EVENTS < EVENTS
        await until_told(first, behind, "cart", good=wanted[0], total=wanted[1])
        await until_told(first, behind, "shop", total=2 * EVENTS)
        for worker in both:
            assert worker.stop(SEEN_S) == 0, worker.tail()

    stored: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for indicator, _, good, total in panes(await ahead.entries()):
        stored[indicator][0] += good
        stored[indicator][1] += total
    everything = [value for _, value in (*known, *new)]
    assert stored == {
        slo(ahead, "cart").objectives[0].indicator.id: list(wanted),
        slo(ahead, "shop").objectives[0].indicator.id: list(counts(everything, "shop")),
    }
    for sources in await ahead.tallies():
        read, counted, late, dead = (sum(column) for column in zip(*sources.values(), strict=True))
        assert (read, counted, late, dead) == (len(everything), len(everything), 0, 0)


def holder(workers: Iterable[ManagedProcess], partition: int) -> int | None:
    """Which of the workers claimed a partition of requests last."""
    claims = [
        (line["timestamp"], number)
        for number, worker in enumerate(workers)
        for line in lines(worker)
        if line["event"].startswith(f"counting requests/{partition} ")
    ]
    return max(claims)[1] if claims else None


def counts(values: Iterable[bytes], service: str) -> tuple[int, int]:
    """Good and total among events."""
    found = [json.loads(value)["status_code"] for value in values if service.encode() in value]
    return sum(status < 500 for status in found), len(found)
