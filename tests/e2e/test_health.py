"""A worker says over HTTP whether it lives, is ready, and how far it is."""

import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Broker
from tests.e2e.hostile import DEFINITIONS, event
from tests.e2e.system import System
from tests.e2e.topics import produce
from tests.services.process import ManagedProcess, wait_until_async

DONE_S = 120
STOP_S = 30
EVENTS = 400
BROKEN = 3


@pytest.fixture
def system(broker: Broker, topic_prefix: str, tmp_path: Path) -> System:
    settings = {
        "SERVICELEVEL_HTTP_PORT": "0",
        "SERVICELEVEL_IDLE_TIMEOUT_MS": "1000",
        "SERVICELEVEL_STALL_TIMEOUT_MS": "20000",
    }
    made = System(broker.address, topic_prefix, tmp_path, DEFINITIONS, settings)
    made.call("topics", "create")
    return made


def address(worker: ManagedProcess) -> str:
    """Where a worker says that it answers, "" before it does."""
    found = re.search(r'"port": (\d+), "event": "answering over HTTP"', worker.log.read_text())
    return f"http://127.0.0.1:{found[1]}" if found else ""


def get(url: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metrics(url: str) -> dict[tuple[str, ...], float]:
    """By name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(get(f"{url}/metrics")[1])
        for sample in family.samples
    }


async def test_health_and_metrics_of_a_worker(system: System) -> None:
    with system.worker() as worker:
        await wait_until_async(lambda: address(worker), DONE_S, what="the address of the worker")
        url = address(worker)
        assert get(f"{url}/live") == (200, '{"live": true}')
        await wait_until_async(lambda: get(f"{url}/ready")[0] == 200, DONE_S, what="readiness")

        now_ms = time.time_ns() // 1_000_000
        good = [(n % 4, event(now_ms + n)) for n in range(EVENTS)]
        bad = [(n % 4, b"no event") for n in range(BROKEN)]
        await produce(system.broker, system.prefix + "requests", [*good, *bad])

        def all_read() -> bool:
            found = metrics(url)
            counted = found[("servicelevel_events_total", "counted")]
            lags = [value for key, value in found.items() if "_lag_" in key[0]]
            ages = [value for key, value in found.items() if "_age_" in key[0]]
            return counted == EVENTS and not any(lags) and bool(ages)

        await wait_until_async(all_read, DONE_S, what="all counted and applied")
        found = metrics(url)
        assert found[("servicelevel_events_total", "dead")] == BROKEN
        assert found[("servicelevel_events_total", "late")] == 0
        assert found[("servicelevel_ledger_rejections_total",)] == 0
        assert {k[1] for k in found if k[0] == "servicelevel_source_lag_records"} >= {
            f"requests/{n}" for n in range(4)
        }
        worker.stop(STOP_S)
