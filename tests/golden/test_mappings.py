"""What each shape of record becomes: `mappings/<name>/records.ndjson` → `expected.ndjson`.

A folder that is named as a shipped mapping is read with it, any other as it is. A line of
`headers.ndjson`, where there is one, is the headers of the record on the same line. The expected
lines are written by hand; `line` counts from 1.
"""

from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from servicelevel.adapters.files.mapping import load_mapping, shipped_mappings
from servicelevel.application.decode import DecodeLimits, decode_batch
from servicelevel.application.lines import RecordedLine
from tests.builders.cli import NOW, Outside, servicelevel

MAPPINGS = Path(__file__).with_name("mappings")
NAMES = sorted(folder.name for folder in MAPPINGS.iterdir())


def lines(name: str, file: str) -> list[bytes]:
    path = MAPPINGS / name / file
    return path.read_bytes().splitlines() if path.exists() else []


def expected(name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in lines(name, "expected.ndjson")]


def records(name: str) -> list[RecordedLine]:
    values = lines(name, "records.ndjson")
    headers = [orjson.loads(line) for line in lines(name, "headers.ndjson")] or [{}] * len(values)
    return [
        RecordedLine(n, value, headers=[(key, text.encode()) for key, text in named.items()])
        for n, (value, named) in enumerate(zip(values, headers, strict=True), start=1)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_records_become_what_is_expected(name: str) -> None:
    batch, dead = decode_batch(
        records(name),
        topic="t",
        partition=0,
        kind="request",
        now_ms=NOW,
        limits=DecodeLimits(),
        mapping=load_mapping(Path(name)) if name in shipped_mappings() else None,
    )
    told: list[dict[str, Any]] = [
        {
            "line": offset,
            "event": {k: v for k, v in msgspec.to_builtins(event).items() if v is not None},
        }
        for event, offset in zip(batch.events, batch.offsets, strict=True)
    ]
    told += [{"line": d.offset, "reason": d.reason, "detail": d.detail} for d in dead]
    wanted = [line for line in expected(name) if line.get("event", line)]
    assert sorted(told, key=lambda line: int(line["line"])) == wanted


@pytest.mark.parametrize("name", sorted(shipped_mappings()))
def test_trying_a_shipped_mapping_shows_them(name: str) -> None:
    file = str(MAPPINGS / name / "records.ndjson")
    done = servicelevel(Outside(), "mapping", "try", "--mapping", name, file, "--format", "ndjson")
    told = [orjson.loads(line) for line in done.out.splitlines()]
    assert told == [{"file": file, **line} for line in expected(name)]


def test_every_shipped_mapping_is_here() -> None:
    assert set(NAMES) == {
        *shipped_mappings(),
        "native",
        "cloudevents-structured",
        "cloudevents-binary",
    }
