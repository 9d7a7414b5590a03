"""The pane ladder as data."""

import pytest

from servicelevel.adapters.files.pane_ladder import parse_ladder, shipped_ladder
from servicelevel.domain.ladder import Ladder, Rung
from servicelevel.errors import DefinitionError


def test_the_shipped_ladder() -> None:
    assert shipped_ladder() == Ladder(
        (Rung(3_600_000, 10_000), Rung(21_600_000, 60_000), Rung(259_200_000, 300_000))
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "source: x\nrungs: []",
        "source: x\nrungs: [{until: 1h, resolution: soon}]",
        "source: x\nrungs: [{until: 2h, resolution: 1m}, {until: 1h, resolution: 5m}]",
        "source: x\nrungs: [{until: 2h, resolution: 7m}]",
    ],
)
def test_a_ladder_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="pane_ladder"):
        parse_ladder(text)
