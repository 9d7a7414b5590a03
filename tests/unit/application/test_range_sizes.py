"""Ranges of many groups end before they are too large for a message."""

from dataclasses import dataclass
from fractions import Fraction

import orjson
import pytest

from servicelevel.application.claims import resume
from servicelevel.application.classify import Plan
from servicelevel.application.combine import SourceAccumulator
from servicelevel.application.decode import DecodeLimits, decode_batch
from servicelevel.application.packing import fits
from servicelevel.application.source_counter import SourceCounter
from servicelevel.domain.counts import Claim, Range
from servicelevel.domain.ledger import Ledger
from servicelevel.domain.model import Catalogue, Indicator, Objective, Slo

SOURCE = "requests/0"
START_MS = 1_767_225_600_000
MAX_BYTES = 400_000
SLICE = 200
EVENTS = 20_000
GROUPS = 1_000


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes
    key: bytes | None = None
    timestamp: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def plan(slos: int, *, sketch: str = "", apart: bool = False) -> Plan:
    """Grouped by customer; `apart`: another service groups by another field."""
    indicators = [
        Indicator(
            f"indicator-{n}",
            "request",
            "shop",
            "",
            f"status_code < 500 && duration_ms < {n + 1}.0",
            group_by=("attributes.customer",),
            sketch=sketch,
        )
        for n in range(slos)
    ]
    if apart:
        other = Indicator("other", "request", "cart", "", "", group_by=("attributes.region",))
        indicators.append(other)
    return Plan(
        Catalogue.of(
            Slo(
                f"slo-{n}",
                each.service,
                3_600_000,
                (Objective("all", each, Fraction(9, 10), ()),),
                "d",
            )
            for n, each in enumerate(indicators)
        ),
        1,
    )


def record(offset: int, *, bad_each: int) -> Record:
    event = {
        "service": "shop",
        "time": START_MS + offset * 20,
        "operation": f"GET /items/{offset % 7}",
        "status_code": 503 if offset % bad_each == 0 else 200,
        "duration_ms": float(offset % 5),
        "attributes": {"customer": f"customer number {offset * 7 % GROUPS}"},
    }
    return Record(offset, orjson.dumps(event))


@pytest.mark.parametrize(
    ("slos", "sketch", "apart"),
    [(1, "", False), (5, "", False), (3, "duration_ms", False), (3, "", True)],
)
@pytest.mark.parametrize("bad_each", [1, 3, EVENTS])
def test_no_range_is_too_large_for_a_message(
    slos: int, sketch: str, apart: bool, bad_each: int
) -> None:
    ledger = Ledger()
    ledger.claim(Claim(SOURCE, 1, "me", 0, {"requests": 1}))
    counting = SourceCounter(
        SOURCE,
        1,
        resume(SOURCE, {0: ledger.sources[SOURCE]}, 0),
        SourceAccumulator(
            SOURCE,
            "request",
            plan(slos, sketch=sketch, apart=apart),
            allowed_lateness_ms=1_000,
            late_horizon_ms=5_000,
            max_time_ms=None,
        ),
        lambda records, now_ms: decode_batch(
            records,
            topic="requests",
            partition=0,
            kind="request",
            now_ms=now_ms,
            limits=DecodeLimits(),
        ),
        idle_timeout_ms=10_000,
        now_ms=START_MS,
        max_bytes=MAX_BYTES,
    )
    for first in range(0, EVENTS, SLICE):
        slice_ = [record(n, bad_each=bad_each) for n in range(first, first + SLICE)]
        counting.add(slice_, START_MS + 3_600_000)
    counting.take()
    ranges = counting.ranges(0)

    assert counted(ranges) == EVENTS * slos
    assert all(fits(each, MAX_BYTES) for each in ranges)
    assert len(ranges) < EVENTS // 100, "a range holds many records"


def counted(ranges: list[Range]) -> int:
    return sum(cell.total for range_ in ranges for cell in range_.cells)
