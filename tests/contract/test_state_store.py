"""What every `StateStore` keeps to: in memory, and in a Faust table on each broker."""

import secrets
from collections.abc import AsyncIterator
from typing import Protocol

import pytest
from aiokafka import AIOKafkaProducer
from faust.types import TP

from servicelevel.adapters.faust.app import build_app, changelog_topic
from servicelevel.adapters.faust.changelog import KafkaChangelog
from servicelevel.adapters.faust.state import FaustState
from servicelevel.adapters.faust.store import Store
from servicelevel.adapters.kafka.connection import start_producer
from servicelevel.adapters.kafka.topics import TopicSpec, create_topics
from servicelevel.application.memory_state import MemoryState
from servicelevel.application.ports import StateStore, StoredEntry
from servicelevel.schemas.counts import decode_counts
from servicelevel.settings import Settings
from tests.faust_sums.evaluator import SumEvaluator
from tests.faust_sums.worker import silence

PARTITION = 1


class Kept(Protocol):
    """A state that can be opened again, as after a restart."""

    state: StateStore

    async def reopen(self) -> None: ...


class InMemory:
    """Lives as long as the object."""

    def __init__(self) -> None:
        self.state: StateStore = MemoryState()

    async def reopen(self) -> None:
        """It is still the same."""


class InFaustTable:
    """Lives on a broker's changelog topic."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._changelog = KafkaChangelog(producer, changelog_topic(settings), lambda *_: None)
        self.state: FaustState = FaustState(PARTITION, {}, secrets.token_hex(4))

    async def reopen(self) -> None:
        """Write what was changed, and recover it as a new process does."""
        await self._changelog.write(PARTITION, self.state.end())
        store = await loaded_store(self._settings)
        self.state = FaustState(PARTITION, store.entries.partition(PARTITION), secrets.token_hex(4))


async def loaded_store(settings: Settings) -> Store:
    """The store of an app that was just given every partition."""
    app = build_app(
        settings,
        evaluators=lambda state, _: SumEvaluator(state),
        decode=decode_counts,
        outputs=silence(),
    )
    store = app.tables["state"].data
    assert isinstance(store, Store)
    assigned = {TP(changelog_topic(settings), n) for n in range(settings.counts_partitions)}
    await store.on_rebalance(assigned, set(), assigned)
    return store


@pytest.fixture(params=["memory", "embedded", pytest.param("kafka", marks=pytest.mark.real)])
def address(request: pytest.FixtureRequest) -> str | None:
    """The broker to keep the state on, or None."""
    match request.param:
        case "kafka":
            return str(request.getfixturevalue("kafka").address)
        case "embedded":
            return str(request.getfixturevalue("embedded_address"))
    return None


@pytest.fixture
async def kept(address: str | None) -> AsyncIterator[Kept]:
    if address is None:
        yield InMemory()
        return
    settings = Settings(brokers=address, group=f"g{secrets.token_hex(4)}", counts_partitions=2)
    topic = TopicSpec(changelog_topic(settings), 2, {"cleanup.policy": "compact"})
    await create_topics({"bootstrap_servers": address}, [topic], 1)
    producer = await start_producer(settings, "test")
    try:
        yield InFaustTable(settings, producer)
    finally:
        await producer.stop()


async def test_an_empty_state_has_nothing(kept: Kept) -> None:
    await kept.reopen()
    assert kept.state.get("k") is None
    assert list(kept.state.scan()) == []


@pytest.mark.parametrize(
    "value", [None, 0, "ü", [1, [2.5, None]], {"a": {"b": []}}, True, list(range(5_000))]
)
async def test_what_was_put_is_there_after_a_restart(kept: Kept, value: object) -> None:
    kept.state.put("a/ü#1", 5, value)
    assert kept.state.get("a/ü#1") == StoredEntry(5, value)
    await kept.reopen()
    assert kept.state.get("a/ü#1") == StoredEntry(5, value)


async def test_the_last_put_counts(kept: Kept) -> None:
    kept.state.put("k", 1, "one")
    await kept.reopen()
    kept.state.put("k", 2, "two")
    kept.state.put("k", 3, "three")
    await kept.reopen()
    assert kept.state.get("k") == StoredEntry(3, "three")


async def test_what_was_deleted_is_gone(kept: Kept) -> None:
    kept.state.put("k", 1, "one")
    kept.state.put("l", 1, "one")
    await kept.reopen()
    kept.state.delete("k")
    kept.state.delete("never there")
    assert kept.state.get("k") is None
    await kept.reopen()
    assert dict(kept.state.scan()) == {"l": StoredEntry(1, "one")}


async def test_what_was_deleted_may_come_back(kept: Kept) -> None:
    kept.state.put("k", 1, "one")
    kept.state.delete("k")
    await kept.reopen()
    kept.state.put("k", 2, "two")
    await kept.reopen()
    assert dict(kept.state.scan()) == {"k": StoredEntry(2, "two")}


async def test_a_scan_may_be_written_under(kept: Kept) -> None:
    for number in range(3):
        kept.state.put(str(number), 1, number)
    for key, entry in kept.state.scan():
        kept.state.put(f"copy of {key}", 2, entry.value)
        kept.state.delete(key)
    await kept.reopen()
    assert sorted(key for key, _ in kept.state.scan()) == ["copy of 0", "copy of 1", "copy of 2"]
