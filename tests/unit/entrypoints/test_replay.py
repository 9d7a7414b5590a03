"""Two sets of definitions over the same recorded files."""

import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from servicelevel.application.compare import Both, SloDifference
from servicelevel.application.ports import Meter, NoMeter
from servicelevel.domain.counts import Tally
from servicelevel.entrypoints.replay import compare_replays, run_replay
from servicelevel.entrypoints.replay_request import FileMapping, RecordedFiles, ReplayRequest
from servicelevel.errors import DependencyError, MappingError, UsageError
from servicelevel.settings import Settings
from tests.builders.availability import availability

T0 = 1_767_225_600_000


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """An hour of requests, one in fifty of which fails in its last ten minutes."""
    path = tmp_path / "requests.ndjson.gz"
    lines = (
        {
            "id": str(n),
            "service": "checkout",
            "time": T0 + n * 1_000,
            "status_code": 503 if n > 3_000 and n % 50 == 0 else 200,
        }
        for n in range(3_600)
    )
    path.write_bytes(gzip.compress(b"\n".join(map(orjson.dumps, lines))))
    return path


def definitions(folder: Path, name: str, target: str) -> list[Path]:
    path = folder / f"{name}.yaml"
    path.write_text(availability("checkout", target, name="checkout-availability"))
    return [path]


def request(tried: list[Path], files: RecordedFiles, meter: Meter | None = None) -> ReplayRequest:
    return ReplayRequest(
        tuple(tried), files, Settings(), now_ms=T0 + 86_400_000, meter=meter or NoMeter()
    )


def compared(tried: list[Path], against: list[Path], requests: Path) -> list[SloDifference]:
    return compare_replays(request(tried, RecordedFiles(requests=(requests,))), against)


def test_a_lower_target_leaves_more_budget_and_tells_less(tmp_path: Path, events: Path) -> None:
    loose, strict = definitions(tmp_path, "a", "0.9"), definitions(tmp_path, "b", "0.9999")

    (found,) = compared(loose, strict, events)

    assert found.slo == "checkout-availability"
    assert found.alerts.tried == 0
    assert found.alerts.against > 0
    assert found.pages == Both(0, found.pages.against)
    assert len(found.only_against) == found.alerts.against
    (budget,) = found.budgets
    assert budget.tried == pytest.approx(1 - 11 / 360)
    assert budget.against == pytest.approx(1 - 11 / 0.36)


def test_the_same_definitions_differ_in_nothing(tmp_path: Path, events: Path) -> None:
    strict = definitions(tmp_path, "b", "0.9999")
    (found,) = compared(strict, strict, events)
    assert found.alerts.tried == found.alerts.against > 0
    assert found.only_tried == found.only_against == ()


def test_what_can_be_read_once_only_is_refused(tmp_path: Path) -> None:
    sets = definitions(tmp_path, "a", "0.9")
    for once in (Path("-"), Path("/dev/null")):
        with pytest.raises(UsageError, match="cannot be read twice"):
            compared(sets, sets, once)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    sets = definitions(tmp_path, "a", "0.9")
    with pytest.raises(DependencyError, match=r"gone\.ndjson"):
        compared(sets, sets, tmp_path / "gone.ndjson")


MAPPING = """
apiVersion: servicelevel/v1
kind: SourceMapping
metadata: {name: NAME}
spec:
  event: EVENT
  fields: {service: {value: checkout}, time: TIME, FIELDS}
"""


def mapping(folder: Path, name: str, time: str, event: str = "request") -> Path:
    path = folder / f"{name}.yaml"
    fields = {"request": "status_code: s", "change": "id: {value: a}, kind: {value: deploy}"}[event]
    text = MAPPING.replace("NAME", name).replace("EVENT", event).replace("TIME", time)
    path.write_text(text.replace("FIELDS", fields))
    return path


def file(folder: Path, name: str, time: str) -> Path:
    path = folder / name
    path.write_text(f'{{"{time}": {T0}, "s": 503}}\n{{"{time}": {T0}, "s": 200}}\n')
    return path


def test_files_may_have_mappings_of_their_own(tmp_path: Path) -> None:
    sets = definitions(tmp_path, "a", "0.9")
    one, two = file(tmp_path, "proxy-1.log", "t"), file(tmp_path, "edge.log", "at")
    given = (
        FileMapping(mapping(tmp_path, "edge", "at")),
        FileMapping(mapping(tmp_path, "proxy", "t"), f"{tmp_path}/proxy-*.log"),
    )
    told = run_replay(
        request(sets, RecordedFiles(requests=(one, two), mappings=given)), io.StringIO()
    )
    assert (told.tally.read, told.tally.counted, told.tally.dead) == (4, 4, 0)


def test_a_mapping_that_cannot_hold_is_told(tmp_path: Path) -> None:
    sets = definitions(tmp_path, "a", "0.9")
    events = file(tmp_path, "edge.log", "at")
    edge, change = mapping(tmp_path, "edge", "at"), mapping(tmp_path, "change", "at", "change")
    for given, error, said in (
        (FileMapping(edge, "egde.log"), UsageError, "no file of events is called so"),
        (FileMapping(change), UsageError, "name it with --changes"),
        (FileMapping(Path("no-such")), MappingError, "no such file"),
    ):
        files = RecordedFiles(requests=(events,), mappings=(given,))
        with pytest.raises(error, match=said):
            run_replay(request(sets, files), io.StringIO())


class Counted:
    """A meter that adds up."""

    def __init__(self) -> None:
        self.expected: int | None = 0
        self.done = 0

    def expect(self, size: int | None) -> None:
        self.expected = size

    def advance(self, size: int) -> None:
        self.done += size


def test_the_meter_is_told_of_the_files_bytes(tmp_path: Path, events: Path) -> None:
    sets, meter = definitions(tmp_path, "a", "0.9"), Counted()
    compare_replays(request(sets, RecordedFiles(requests=(events,)), meter), sets)
    assert meter.expected == meter.done == 2 * events.stat().st_size
    meter = Counted()
    files = RecordedFiles(requests=(events, Path("/dev/null")))
    run_replay(request(sets, files, meter), io.StringIO())
    assert meter.expected is None


def test_few_of_what_cannot_be_read_are_kept(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text("x\n" * 1_000)
    sets = definitions(tmp_path, "a", "0.9")
    told = run_replay(request(sets, RecordedFiles(requests=(broken,))), io.StringIO())
    assert told.tally.dead == 1_000
    assert [letter.offset for letter in told.dead] == list(range(10))


def test_repeated_events_are_left_out_where_the_settings_say_so(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": name, "service": "shop", "time": T0 + n, "status_code": 200})
        for n, name in enumerate("abacba")
    ]
    events = tmp_path / "retries.ndjson"
    events.write_text("\n".join(lines))
    sets = definitions(tmp_path, "a", "0.9")
    for window, repeated in ((0, 0), (1, 0), (2, 1), (3, 3), (100, 3)):
        asked = request(sets, RecordedFiles(requests=(events,)))
        asked = replace(asked, settings=asked.settings.model_copy(update={"dedup_records": window}))
        told = run_replay(asked, io.StringIO())
        assert told.tally == Tally(6, 6 - repeated, repeated=repeated)
