"""A topic replayed gives, byte for byte, what files of the same records give."""

import asyncio
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from servicelevel.application.topic_range import Edge, TopicRange
from servicelevel.entrypoints.replay import compare_replays, run_replay
from servicelevel.entrypoints.replay_request import RecordedFiles, ReplayRequest
from servicelevel.errors import DependencyError, ServiceLevelError, TopicsError, UsageError
from servicelevel.settings import Settings
from tests.builders.availability import availability
from tests.conftest import Broker

T0 = 1_767_225_600_000
PARTITIONS = 3
EVENTS = 3_000  # a second apart, and so are the records' timestamps
REAL = pytest.mark.parametrize(
    "broker", [pytest.param("kafka", marks=pytest.mark.real)], indirect=True
)
"""The embedded broker looks up when records were written, whatever their timestamps say, and
deletes none."""

DEFINITIONS = availability("checkout", "0.99")


@dataclass(frozen=True)
class Recorded:
    """Records by partition, on a topic of the settings' and in files of the same order."""

    settings: Settings
    definitions: Path
    records: Sequence[Sequence[tuple[int, bytes]]]

    def asked(self, events: TopicRange | RecordedFiles, status_at_ms: int | None) -> ReplayRequest:
        return ReplayRequest(
            (self.definitions,), events, self.settings, T0 + 86_400_000, status_at_ms
        )

    def told(self, events: TopicRange | RecordedFiles, status_at_ms: int | None = None) -> str:
        out = io.StringIO()
        run_replay(self.asked(events, status_at_ms), out)
        return out.getvalue()

    def files(self, folder: Path, since_ms: int = 0, before_ms: int = 1 << 62) -> RecordedFiles:
        """Records of these timestamps, a file a partition; others are empty lines."""
        paths = []
        for number, records in enumerate(self.records):
            lines = [v if since_ms <= at < before_ms else b"" for at, v in records]
            paths.append(folder / f"{number}.ndjson")
            paths[-1].write_bytes(b"\n".join(lines))
        return RecordedFiles(requests=tuple(paths))


def records() -> list[list[tuple[int, bytes]]]:
    """Timestamps and values: for ten minutes half of the requests fail; one record is broken."""
    found: list[list[tuple[int, bytes]]] = [[] for _ in range(PARTITIONS)]
    for number in range(EVENTS):
        at = T0 + number * 1_000
        event = {
            "id": str(number),
            "time": at,
            "service": "checkout",
            "operation": f"GET /{number % 5}",
            "status_code": 503 if 1_500 < number < 2_100 and number % 2 else 200,
        }
        found[number % PARTITIONS].append((at, orjson.dumps(event)))
    found[1].append((T0 + EVENTS * 1_000, b"no event"))
    return found


async def write(settings: Settings, made: Iterable[Iterable[tuple[int, bytes]]]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    kept = {"retention.ms": "-1"}  # the records are old by their timestamps
    await admin.create_topics(
        [NewTopic(settings.topic("requests"), PARTITIONS, 1, topic_configs=kept)]
    )
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=20)
    await producer.start()
    for partition, values in enumerate(made):
        for at, value in values:
            await producer.send(
                settings.topic("requests"), value, partition=partition, timestamp_ms=at
            )
    await producer.stop()


@pytest.fixture
def recorded(broker: Broker, topic_prefix: str, tmp_path: Path) -> Recorded:
    settings = Settings(brokers=broker.address, topic_prefix=topic_prefix)
    definitions = tmp_path / "slos.yaml"
    definitions.write_text(DEFINITIONS)
    made = records()
    asyncio.run(write(settings, made))
    return Recorded(settings, definitions, made)


def test_a_whole_topic(recorded: Recorded, tmp_path: Path) -> None:
    files = recorded.files(tmp_path)
    told = recorded.told(TopicRange())
    assert told == recorded.told(files)
    assert "servicelevel.warning.raised" in told
    at = T0 + 2_000_000
    statuses = recorded.told(TopicRange(("requests",)), at)
    assert statuses == recorded.told(files, at)
    assert orjson.loads(statuses)["total"] == 2_001


@REAL
def test_between_two_times(recorded: Recorded, tmp_path: Path) -> None:
    since, before = T0 + 1_600_000, T0 + 1_900_500
    told = recorded.told(TopicRange(start=Edge(since), end=Edge(before)), T0 + 1_950_000)
    files = recorded.files(tmp_path, since, before)
    assert told == recorded.told(files, T0 + 1_950_000)
    assert orjson.loads(told)["total"] == 301


@REAL
def test_offsets_of_some_partitions_and_a_time_for_the_rest(recorded: Recorded) -> None:
    """Every partition from its 10th record, one up to its 20th and the rest to the 30th second."""
    start = Edge(offsets={f"requests/{n}": 10 for n in range(PARTITIONS)})
    end = Edge(T0 + 30 * PARTITIONS * 1_000, {f"{recorded.settings.topic('requests')}/1": 20})
    told = recorded.told(TopicRange(start=start, end=end), T0 + 3_600_000)
    assert orjson.loads(told)["total"] == 20 + 10 + 20


def test_between_two_offsets(recorded: Recorded) -> None:
    start = Edge(offsets={f"requests/{n}": 10 for n in range(PARTITIONS)})
    end = Edge(offsets={f"requests/{n}": 20 + n for n in range(PARTITIONS)})
    told = recorded.told(TopicRange(start=start, end=end), T0 + 3_600_000)
    assert orjson.loads(told)["total"] == 10 + 11 + 12


@REAL
def test_a_time_after_all_records_gives_nothing(recorded: Recorded) -> None:
    assert recorded.told(TopicRange(start=Edge(T0 + 86_400_000))) == ""


def test_a_comparison_reads_the_topic_twice(recorded: Recorded, tmp_path: Path) -> None:
    strict = tmp_path / "strict.yaml"
    strict.write_text(availability("checkout", "0.9999"))
    of_topic = compare_replays(recorded.asked(TopicRange(), None), [strict])
    of_files = compare_replays(recorded.asked(recorded.files(tmp_path), None), [strict])
    assert of_topic == of_files
    assert of_topic[0].alerts.tried > 0


@pytest.mark.parametrize(
    ("range_", "error", "said"),
    [
        (TopicRange(("orders",)), UsageError, "`orders` is none of the source topics"),
        (TopicRange(("incidents",)), TopicsError, r"no topic t\w+\.incidents"),
        (TopicRange(start=Edge(None, {"requests/0": 9_999})), UsageError, "ends before offset"),
    ],
)
def test_what_is_not_there_is_told(
    recorded: Recorded, range_: TopicRange, error: type[ServiceLevelError], said: str
) -> None:
    with pytest.raises(error, match=said):
        recorded.told(range_)


def test_no_broker_is_told(tmp_path: Path) -> None:
    definitions = tmp_path / "slos.yaml"
    definitions.write_text(DEFINITIONS)
    nobody = Recorded(Settings(brokers="127.0.0.1:1"), definitions, [])
    with pytest.raises(DependencyError, match=r"127\.0\.0\.1:1"):
        nobody.told(TopicRange())


@REAL
def test_deleted_records_are_told(recorded: Recorded) -> None:
    partition = TopicPartition(recorded.settings.topic("requests"), 0)

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=recorded.settings.brokers)
        await admin.start()
        await admin.delete_records({partition: RecordsToDelete(600)})
        await admin.close()

    asyncio.run(delete())
    with pytest.raises(UsageError, match="the first that is left has offset 600"):
        recorded.told(TopicRange(start=Edge(None, {"requests/0": 599})))
    told = recorded.told(TopicRange(), T0 + EVENTS * 1_000)
    assert orjson.loads(told)["total"] == EVENTS - 600
