"""What a worker answers over HTTP."""

import asyncio
import json
import re
import socket
from pathlib import Path

import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from servicelevel.adapters.http.server import serving, vitals_app
from servicelevel.application.vitals import (
    CombinerVitals,
    EvaluatorVitals,
    SourceVitals,
    Vitals,
)
from servicelevel.errors import DependencyError

ROOT = Path(__file__).resolve().parents[4]
NOW_MS = 1_767_225_600_000


def worker() -> Vitals:
    """In the midst of its work."""
    combiner = CombinerVitals(read=14, counted=7, late=1, dead=2, repeated=4, rejected=3, flushes=4)
    combiner.assigned, combiner.unclaimed = True, 0
    combiner.sources = {"requests/0": SourceVitals(10, 5)}
    evaluator = EvaluatorVitals(applied=6, rejected=2, outputs={"warning": 1, "status": 8})
    evaluator.assigned = frozenset({0, 3})
    evaluator.ends, evaluator.next_offsets = {0: 9, 3: 4}, {0: 7, 3: 4}
    evaluator.watermarks_ms = {0: NOW_MS - 12_500}
    return Vitals(combiner, evaluator)


async def get(vitals: Vitals, path: str) -> tuple[int, str]:
    """Status and body of an answer."""
    app = vitals_app(vitals, lambda: NOW_MS)
    async with (
        serving(app, "127.0.0.1", 0) as port,
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as response,
    ):
        return response.status, await response.text()


async def test_metrics_are_what_the_vitals_say() -> None:
    status, text = await get(worker(), "/metrics")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert status == 200
    assert found == {
        ("servicelevel_ready", "combiner"): 1,
        ("servicelevel_ready", "evaluator"): 1,
        ("servicelevel_events_total", "counted"): 7,
        ("servicelevel_events_total", "late"): 1,
        ("servicelevel_events_total", "repeated"): 4,
        ("servicelevel_events_total", "dead"): 2,
        ("servicelevel_counts_flushes_total",): 4,
        ("servicelevel_sources_lost_total",): 3,
        ("servicelevel_sources_unclaimed",): 0,
        ("servicelevel_source_lag_records", "requests/0"): 5,
        ("servicelevel_counts_applied_total",): 6,
        ("servicelevel_ledger_rejections_total",): 2,
        ("servicelevel_outputs_total", "warning"): 1,
        ("servicelevel_outputs_total", "status"): 8,
        ("servicelevel_counts_lag_messages", "0"): 2,
        ("servicelevel_counts_lag_messages", "3"): 0,
        ("servicelevel_watermark_age_seconds", "0"): 12.5,
    }


async def test_the_page_on_metrics_names_each_of_them() -> None:
    page = (ROOT / "docs/how-to/watch-the-watcher.md").read_text()
    _, text = await get(worker(), "/metrics")
    names = {s.name for f in text_string_to_metric_families(text) for s in f.samples}
    assert set(re.findall(r"^\| `(servicelevel_\w+)", page, re.MULTILINE)) == names


async def test_a_worker_is_live_before_it_is_ready() -> None:
    starting = Vitals(CombinerVitals(), EvaluatorVitals())
    assert await get(starting, "/live") == (200, '{"live": true}')
    status, body = await get(starting, "/ready")
    assert status == 503
    assert json.loads(body) == {"ready": False, "parts": {"combiner": False, "evaluator": False}}
    assert (await get(worker(), "/ready"))[0] == 200


async def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DependencyError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving(vitals_app(worker(), lambda: NOW_MS), "127.0.0.1", port):
                pass


async def test_a_reader_who_takes_no_answer_does_not_hold_up_the_end() -> None:
    """He asks again and again, until the answers fill all that lies between."""
    asks = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 500
    vitals = worker()
    assert vitals.combiner is not None
    vitals.combiner.sources = {f"requests/{n}": SourceVitals(10, 5) for n in range(2_000)}
    loop = asyncio.get_running_loop()
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.setblocking(False)
        async with serving(vitals_app(vitals, lambda: NOW_MS), "127.0.0.1", 0) as port:
            await loop.sock_connect(reader, ("127.0.0.1", port))
            await loop.sock_sendall(reader, asks)
            async with ClientSession() as session:
                url = f"http://127.0.0.1:{port}/live"
                for _ in range(50):  # others are answered meanwhile
                    async with session.get(url) as response:
                        assert response.status == 200
            ended = loop.time()
        assert loop.time() - ended < 10
