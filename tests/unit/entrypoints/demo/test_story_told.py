"""What the evaluator makes of the story: the alerts that the tutorial tells of, and no other."""

from importlib.resources import as_file, files

import pytest
from msgspec.structs import replace

from servicelevel.adapters.files.definitions import load_definitions
from servicelevel.application.evaluate import EvaluationPolicy
from servicelevel.application.lines import RecordedLine
from servicelevel.application.replay import Recording, Replayed, ReplayOptions, replay
from servicelevel.domain.model import Catalogue
from servicelevel.domain.time import SECOND_MS
from servicelevel.entrypoints.demo.story import load_story
from servicelevel.entrypoints.demo.traffic import Traffic
from tests.builders.ladder import LADDER

MINUTE_START_MS = 1_767_225_600_000
LIVE_S = 60


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    with as_file(files("servicelevel.entrypoints.demo") / "shop.yaml") as path:
        loaded = load_definitions([path])
    assert loaded.findings == []
    return loaded.catalogue


def told(catalogue: Catalogue, live_ms: int, history_s: int) -> Replayed:
    story = replace(load_story(), history_s=history_s, ramp_s=min(history_s - 300, 18_000))
    requests = Traffic(story, live_ms).until(live_ms + LIVE_S * SECOND_MS)
    lines = [RecordedLine(offset, request.value) for offset, request in enumerate(requests)]
    options = ReplayOptions(
        now_ms=live_ms + LIVE_S * SECOND_MS,
        policy=EvaluationPolicy(LADDER, allowed_lateness_ms=2_000, early=False),
    )
    return replay(catalogue, [Recording("requests", "request", lines)], options)


@pytest.mark.parametrize(("into_pane_s", "history_s"), [(0, 21_600), (3, 3_900), (8, 3_900)])
def test_alerts_are_those_of_the_story_wherever_in_a_pane_it_begins(
    catalogue: Catalogue, into_pane_s: int, history_s: int
) -> None:
    live_ms = MINUTE_START_MS + into_pane_s * SECOND_MS
    story = [
        (t.slo, t.kind, t.state.value, (t.at_ms - live_ms) / SECOND_MS)
        for t in told(catalogue, live_ms, history_s).transitions
    ]
    assert all(at_s > 2 for *_, at_s in story), story
    assert {slo for slo, *_ in story} == {"checkout-now", "search-response-time"}
    breach = [(state, at_s) for slo, kind, state, at_s in story if kind == "breach"]
    assert [state for state, _ in breach] == ["raised", "resolved"]
    assert 17 <= breach[0][1] <= 27
    assert 30 <= breach[1][1] <= 42
    for slo in ("checkout-now", "search-response-time"):
        states = [s for name, kind, s, _ in story if name == slo and kind == "warning"]
        assert states[0] == "raised"
        assert states[-1] == "resolved"
