"""How much is fetched before it is counted."""

import pytest

from servicelevel.adapters.kafka.clients import partition_bytes

MIB = 1 << 20


@pytest.mark.parametrize(
    ("partitions", "expected"),
    [(0, 4 * MIB), (4, 4 * MIB), (16, 4 * MIB), (64, MIB), (256, MIB // 4), (5_000, MIB // 4)],
)
def test_many_partitions_share_what_may_wait(partitions: int, expected: int) -> None:
    assert partition_bytes(partitions) == expected
