"""`replay --against` prints the difference, and asks for what can be compared."""

from pathlib import Path
from textwrap import dedent

import orjson
import pytest

from servicelevel.application.compare import Outcome, compare
from servicelevel.domain.outputs import AlertState
from servicelevel.domain.severity import Severity
from servicelevel.entrypoints.replay_request import RecordedFiles
from tests.builders.cli import NOW, Outside, servicelevel
from tests.builders.outputs import status, transition

FIRST = transition(at_ms=NOW, raised_at_ms=NOW)
OVER = transition(state=AlertState.RESOLVED, at_ms=NOW + 60_000)
OTHER = transition(alert_id="b", group="region=eu", at_ms=NOW, raised_at_ms=NOW)
QUIET = transition(
    alert_id="c", slo="search", severity=Severity.TICKET, rule="3d/6h", at_ms=NOW, raised_at_ms=NOW
)
FOUND = compare(
    Outcome([QUIET], [status(remaining_ratio=0.5), status(slo="search", remaining_ratio=None)]),
    Outcome([FIRST, OVER, OTHER], [status(), status(slo="search", remaining_ratio=None)]),
)
COMPARE = ("replay", "new", "--requests", "a.gz", "--against", "old")


def test_the_difference_in_words() -> None:
    done = servicelevel(Outside(differences=FOUND), *COMPARE)
    assert done.code == 0
    assert done.out == dedent(
        """\
        new against old
        would have paged 0 times instead of 2; alerts: 1 instead of 2

        checkout-availability
          would have paged 0 times instead of 2; alerts: 0 instead of 2
          alerts only with old:
            warning 1h/5m (page) of main: 2026-01-01T00:00:00.000Z to 2026-01-01T00:01:00.000Z
            warning 1h/5m (page) of main/region=eu: 2026-01-01T00:00:00.000Z still open
          budget left of main: 50.0 % instead of -1900.0 %

        search
          would have paged 0 times with both; alerts: 1 instead of 0
          alerts only with new:
            warning 3d/6h (ticket) of main: 2026-01-01T00:00:00.000Z still open
          budget left of main: unknown
        """
    )


def test_once_is_a_word() -> None:
    one = compare(Outcome([FIRST], []), Outcome([], []))
    assert (
        "would have paged once instead of 0" in servicelevel(Outside(differences=one), *COMPARE).out
    )


def test_the_difference_as_json_is_an_object_for_each_slo() -> None:
    outside = Outside(differences=FOUND)
    lines = servicelevel(outside, *COMPARE, "--format", "ndjson").out.splitlines()
    first, second = map(orjson.loads, lines)

    assert first["slo"] == "checkout-availability"
    assert first["pages"] == {"tried": 0, "against": 2}
    assert first["only_tried"] == []
    assert first["only_against"][0] == {
        "alert_id": "a1",
        "kind": "warning",
        "objective": "main",
        "group": "",
        "severity": "page",
        "rule": "1h/5m",
        "raised_at": "2026-01-01T00:00:00.000Z",
        "ended_at": "2026-01-01T00:01:00.000Z",
    }
    assert first["budget_remaining"] == [
        {"objective": "main", "group": "", "tried": 0.5, "against": -19.0}
    ]
    assert second["only_tried"][0]["ended_at"] is None
    assert orjson.loads(servicelevel(outside, *COMPARE, "--format", "json").out) == [first, second]


def test_files_and_definitions_are_handed_over() -> None:
    outside = Outside()
    assert servicelevel(outside, *COMPARE, "--status-at", str(NOW)).code == 0
    _, request, against = outside.asked[-1]
    assert (request.definitions, against) == ((Path("new"),), [Path("old")])
    assert request.events == RecordedFiles(requests=(Path("a.gz"),))
    assert request.status_at_ms == NOW


@pytest.mark.parametrize(
    "arguments",
    [(*COMPARE, "--early"), ("replay", "new", "--requests", "a", "--format", "text")],
)
def test_what_does_not_go_together_is_wrong_use(arguments: tuple[str, ...]) -> None:
    assert servicelevel(Outside(), *arguments).code == 2


def test_ndjson_is_what_a_plain_replay_prints() -> None:
    done = servicelevel(Outside(), "replay", "new", "--requests", "a", "--format", "ndjson")
    assert (done.code, done.out) == (0, "{}\n")
