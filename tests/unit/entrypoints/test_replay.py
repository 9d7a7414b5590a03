"""Two sets of definitions over the same recorded files."""

import gzip
from pathlib import Path

import orjson
import pytest

from servicelevel.application.compare import Both, SloDifference
from servicelevel.entrypoints.replay import compare_replays
from servicelevel.errors import DependencyError, UsageError
from servicelevel.settings import Settings

T0 = 1_767_225_600_000
DEFINITION = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    metadata: {name: answers}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {type: servicelevel, spec: {event: request, where: status_code < 500}}
        total:
          metricSource: {type: servicelevel, spec: {event: request}}
  objectives: [{displayName: answers, target: TARGET}]
"""


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
    path.write_text(DEFINITION.replace("TARGET", target))
    return [path]


def compared(tried: list[Path], against: list[Path], requests: Path) -> list[SloDifference]:
    return compare_replays(
        tried,
        against,
        requests=[requests],
        incidents=[],
        changes=[],
        mapping=None,
        status_at_ms=None,
        settings=Settings(),
        clock=lambda: T0 + 86_400_000,
    )


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
