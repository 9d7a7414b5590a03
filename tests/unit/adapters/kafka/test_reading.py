"""How much is counted before other tasks get their turn."""

import pytest

from servicelevel.adapters.kafka.reading import SLICE, slice_size
from servicelevel.application.lines import RecordedLine


@pytest.mark.parametrize(
    ("size", "expected"), [(None, SLICE), (0, SLICE), (200, SLICE), (1 << 18, 4), (3 << 20, 1)]
)
def test_fewer_records_at_once_where_they_are_large(size: int | None, expected: int) -> None:
    value = None if size is None else b"x" * size
    assert slice_size(RecordedLine(0, value)) == expected
