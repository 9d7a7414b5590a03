"""A flood of mutated records through `servicelevel run`: no crash, no stall, all accounted for.

`scripts/hostile` sends longer ones.
"""

from pathlib import Path

from tests.hostile.run import run, system_for
from tests.services.kafka import KafkaBroker

MUTATED = 100_000


async def test_a_hundred_thousand_mutated_records_are_accounted_for(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    figures = await run(system_for(kafka.address, topic_prefix, tmp_path), 1, MUTATED)
    assert figures["sent"] > MUTATED
    assert min(figures["counted"], figures["late"], figures["dead"]) > MUTATED // 100
