"""`mapping try` says of each line what the mapping makes of it."""

import io
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from servicelevel.entrypoints.cli.app import build_app
from servicelevel.entrypoints.cli.parts import real_parts
from servicelevel.entrypoints.cli.session import Session
from tests.builders.cli import NOW, Outside, servicelevel

MAPPING = """\
apiVersion: servicelevel/v1
kind: SourceMapping
metadata: {name: m}
spec:
  fields: {service: host, time: {path: at, format: epoch_s}, duration_ms: {path: took, unit: s}}
  attributes: {size: bytes}
"""
GOOD = '{"host": "shop", "at": 1767225599.5, "took": "0.25"}'
EVENT = {"service": "shop", "time": NOW - 500, "duration_ms": 250.0, "attributes": {}}
NO_TIME = '{"host": "shop", "at": "noon"}'
DETAIL = "time: 'noon' is no number"


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    file = tmp_path / "m.yaml"
    file.write_text(MAPPING)
    return str(file)


def lines(folder: Path, *given: str) -> str:
    file = folder / "log.ndjson"
    file.write_text("".join(f"{line}\n" for line in given))
    return str(file)


def on_input(given: str, *arguments: str) -> tuple[int, str]:
    """Exit code and output, with `given` on standard input."""
    out = io.StringIO()
    session = Session(replace(real_parts(), environ={}, out=out))
    words = ["mapping", "try", *arguments]
    return CliRunner().invoke(
        build_app(), words, input=given, obj=session
    ).exit_code, out.getvalue()


def test_events_are_printed_with_their_line(tmp_path: Path, mapping: str) -> None:
    file = lines(tmp_path, GOOD, "", GOOD)
    done = servicelevel(Outside(), "mapping", "try", "--mapping", mapping, file)
    first, second, count = done.out.splitlines()
    assert done.code == 0, done.err
    assert orjson.loads(first.removeprefix(f"{file}:1: ")) == EVENT
    assert orjson.loads(second.removeprefix(f"{file}:3: ")) == EVENT
    assert count == "2 events, 0 refused"


def test_a_refused_line_is_told_with_the_reason_and_is_exit_1(tmp_path: Path, mapping: str) -> None:
    file = lines(tmp_path, GOOD, NO_TIME, "oops")
    done = servicelevel(Outside(), "mapping", "try", file, "--mapping", mapping)
    _, second, third, count = done.out.splitlines()
    assert done.code == 1
    assert second == f"{file}:2: refused, mapping: {DETAIL}"
    assert third.startswith(f"{file}:3: refused, broken_json: ")
    assert count == "1 events, 2 refused"


def test_as_json(tmp_path: Path, mapping: str) -> None:
    arguments = ("mapping", "try", "--mapping", mapping, lines(tmp_path, GOOD, NO_TIME))
    as_lines = servicelevel(Outside(), *arguments, "--format", "ndjson")
    as_array = servicelevel(Outside(), *arguments, "--format", "json")
    told = [orjson.loads(line) for line in as_lines.out.splitlines()]
    assert told == [
        {"file": arguments[-1], "line": 1, "event": EVENT},
        {"file": arguments[-1], "line": 2, "reason": "mapping", "detail": DETAIL},
    ]
    assert orjson.loads(as_array.out) == told
    assert as_lines.code == as_array.code == 1


def test_several_files_each_count_their_own_lines(tmp_path: Path, mapping: str) -> None:
    file = lines(tmp_path, GOOD)
    done = servicelevel(Outside(), "mapping", "try", "--mapping", mapping, file, file)
    assert [line.partition(": ")[0] for line in done.out.splitlines()[:-1]] == [f"{file}:1"] * 2


def test_integers_of_any_size_are_printed(tmp_path: Path, mapping: str) -> None:
    line = GOOD.replace("}", ', "bytes": 123456789012345678901234567890}')
    file = lines(tmp_path, line)
    done = servicelevel(Outside(), "mapping", "try", "--mapping", mapping, file)
    assert '{"size":123456789012345678901234567890}' in done.out


def test_the_limits_are_those_of_the_settings(tmp_path: Path, mapping: str) -> None:
    file = lines(tmp_path, GOOD, GOOD.replace("1767225599.5", "1767225700"))
    outside = Outside(environ={"SERVICELEVEL_MAX_FUTURE_MS": "1000"})
    done = servicelevel(outside, "mapping", "try", "--mapping", mapping, file)
    assert f"{file}:2: refused, future_time: " in done.out


@pytest.mark.parametrize("files", [[], ["-"]])
def test_lines_from_standard_input(mapping: str, files: list[str]) -> None:
    code, out = on_input(f"{GOOD}\n{NO_TIME}\n", "--mapping", mapping, *files)
    assert code == 1
    assert f"-:2: refused, mapping: {DETAIL}\n" in out


def test_the_mapping_says_of_which_kind_the_events_are(tmp_path: Path) -> None:
    mapping = tmp_path / "incidents.yaml"
    mapping.write_text(
        MAPPING.replace("spec:\n", "spec:\n  event: incident\n").replace(
            "service: host", "service: host, incident_id: number, state: {value: opened}"
        )
    )
    file = lines(tmp_path, GOOD.replace("}", ', "number": 7}'))
    done = servicelevel(Outside(), "mapping", "try", "--mapping", str(mapping), file)
    assert done.code == 0, done.out
    assert '"incident_id":"7","state":"opened"' in done.out


def test_what_cannot_be_read_is_told(tmp_path: Path, mapping: str) -> None:
    gone = str(tmp_path / "none")
    no_file = servicelevel(Outside(), "mapping", "try", "--mapping", mapping, gone)
    no_mapping = servicelevel(Outside(), "mapping", "try", "--mapping", gone, gone)
    unnamed = servicelevel(Outside(), "mapping", "try", gone)
    assert (no_file.code, no_mapping.code, unnamed.code) == (3, 2, 2)
    assert gone in no_file.err
    assert gone in no_mapping.err


def test_each_event_of_an_unrolled_line_is_shown(tmp_path: Path) -> None:
    mapping = tmp_path / "batches.yaml"
    mapping.write_text(
        MAPPING.replace(
            "spec:\n", "spec:\n  unroll: [lines]\n  select: {path: kind, values: [in]}\n"
        )
    )
    one = GOOD.replace("}", ', "kind": "in"}')
    file = lines(
        tmp_path,
        f'{{"lines": [{one}, {GOOD}, {one}, {one.replace("1767225599.5", "null")}]}}',
        f'{{"lines": [{GOOD}]}}',
    )
    done = servicelevel(Outside(), "mapping", "try", "--mapping", str(mapping), file)
    *events, bad, nothing, count = done.out.splitlines()
    assert [orjson.loads(line.removeprefix(f"{file}:1: ")) for line in events] == [EVENT] * 2
    assert bad == f"{file}:1: refused, missing_field: lines[3]: the event has no `time`"
    assert nothing == f"{file}:2: nothing, as the mapping selects none of it"
    assert (count, done.code) == ("2 events, 1 refused", 1)
