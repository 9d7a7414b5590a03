"""What every `StateStore` keeps to: in memory, and in a Faust table on each broker."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from servicelevel.application.evaluate.records import PROGRESS_KEY
from servicelevel.application.memory_state import MemoryState
from servicelevel.application.ports import StateStore, StoredEntry
from servicelevel.errors import RestartRequiredError
from servicelevel.schemas.counts import decode_counts
from servicelevel.settings import Settings
from tests.conftest import Broker
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
    """Lives on a broker's changelog topic; `open` it first."""

    state: FaustState
    changelog: KafkaChangelog

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer

    async def load(self) -> None:
        """Recover the state as a new process does."""
        store = await loaded_store(self._settings)
        topic = changelog_topic(self._settings)
        self.changelog = KafkaChangelog(self._producer, topic, store.stored)
        self.state = FaustState(PARTITION, store.entries.partition(PARTITION), secrets.token_hex(4))

    async def open(self) -> None:
        """Recover the state and claim it."""
        await self.load()
        await self.changelog.claim(PARTITION, self.state.claim())

    async def reopen(self) -> None:
        """Write what was changed, and recover it as a new process does."""
        await self.changelog.write(PARTITION, self.state.end())
        await self.open()


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
    async with a_table(address) as make:
        table = make()
        await table.open()
        yield table


@asynccontextmanager
async def a_table(address: str) -> AsyncIterator[Callable[[], InFaustTable]]:
    """Makes views of one new table, each as a process of its own has it."""
    settings = Settings(brokers=address, group=f"g{secrets.token_hex(4)}", counts_partitions=2)
    topic = TopicSpec(changelog_topic(settings), 2, {"cleanup.policy": "compact"})
    await create_topics({"bootstrap_servers": address}, [topic], 1)
    producer = await start_producer(settings, "test")
    try:
        yield lambda: InFaustTable(settings, producer)
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


async def test_a_table_that_another_wrote_to_since_it_was_read_cannot_be_claimed(
    broker: Broker,
) -> None:
    async with a_table(broker.address) as make:
        first, second, third = make(), make(), make()
        await first.open()
        await second.load()
        first.state.put("k", 1, "one")
        await first.changelog.write(PARTITION, first.state.end())
        with pytest.raises(RestartRequiredError, match="start this process anew"):
            await second.changelog.claim(PARTITION, second.state.claim())
        await third.open()
        assert third.state.get("k") == StoredEntry(1, "one")


async def test_a_former_owner_that_writes_after_the_new_one_changes_nothing(broker: Broker) -> None:
    async with a_table(broker.address) as make:
        former, new, last = make(), make(), make()
        await former.open()
        former.state.put("k", 1, "one")
        former.state.put(PROGRESS_KEY, 1, None)
        await former.changelog.write(PARTITION, former.state.end())
        await new.open()
        for offset in (2, 3, 4):
            new.state.put("k", offset, f"{offset} by the new one")
            new.state.put(PROGRESS_KEY, offset, None)
        await new.changelog.write(PARTITION, new.state.end())
        former.state.put("k", 2, "2 by the former one")
        former.state.put(PROGRESS_KEY, 2, None)
        await former.changelog.write(PARTITION, former.state.end())
        await last.open()
        assert dict(last.state.scan()) == {
            "k": StoredEntry(4, "4 by the new one"),
            PROGRESS_KEY: StoredEntry(4, None),
        }
