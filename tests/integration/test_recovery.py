"""A hundred thousand table entries come back from Kafka's changelog, each as it was written."""

from benchmarks.recovery import (
    AT_MS,
    ENTRIES,
    PARTITIONS,
    POLICY,
    catalogue,
    evaluators,
    fill_partition,
    load,
    write,
)
from servicelevel.adapters.faust.state import FaustState
from servicelevel.application.evaluate import Evaluator
from servicelevel.application.memory_state import MemoryState
from servicelevel.settings import Settings
from tests.services.kafka import KafkaBroker


async def test_all_entries_are_recovered(kafka: KafkaBroker, topic_prefix: str) -> None:
    settings = Settings(
        brokers=kafka.address,
        topic_prefix=topic_prefix,
        group=f"{topic_prefix}g",
        counts_partitions=PARTITIONS,
    )
    assert await write(settings, ENTRIES) >= ENTRIES

    store = await load(settings)

    for partition in range(PARTITIONS):
        written = MemoryState()
        fill_partition(written, partition, ENTRIES // PARTITIONS)
        entries = store.entries.partition(partition)
        assert dict(FaustState(partition, dict(entries), "reader").scan()) == dict(written.scan())
    recovered = evaluators(store)
    last = PARTITIONS - 1  # `written` is that of it
    undisturbed = Evaluator(catalogue(), POLICY, written, partition=last, partitions=PARTITIONS)
    assert [each.next_offset for each in recovered] == [1] * PARTITIONS
    assert recovered[last].statuses(AT_MS) == undisturbed.statuses(AT_MS)
    assert len(undisturbed.statuses(AT_MS)) > 100
