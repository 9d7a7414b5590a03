"""`servicelevel replay` of a topic on Apache Kafka prints what it prints of files."""

import json
from pathlib import Path

import pytest
import zstandard
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.e2e.system import System
from tests.e2e.test_commands import DEFINITIONS
from tests.services.kafka import KafkaBroker

T0 = 1_767_225_600_000
PARTITIONS = 4
SECONDS = 7_200
WRONG_USE, OUT_OF_REACH = 2, 3


@pytest.fixture
async def system(kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> System:
    """With a topic of requests only: nothing else is needed to replay it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    kept = {"retention.ms": "-1"}  # the records are old by their timestamps
    await admin.create_topics(
        [NewTopic(f"{topic_prefix}requests", PARTITIONS, 1, topic_configs=kept)]
    )
    await admin.close()
    return System(kafka.address, topic_prefix, tmp_path, DEFINITIONS)


def values() -> list[list[tuple[int, bytes]]]:
    """By partition: timestamps a second apart, and requests, of which some fail now and then."""
    found: list[list[tuple[int, bytes]]] = [[] for _ in range(PARTITIONS)]
    for second in range(SECONDS):
        for service in ("basket", "checkout"):
            fails = service == "checkout" and second % 1_800 > 1_500 and second % 3 == 0
            event = {
                "id": f"{service}-{second}",
                "time": T0 + second * 1_000,
                "service": service,
                "operation": f"GET /{second % 7}",
                "status_code": 503 if fails else 200,
            }
            found[second % PARTITIONS].append((T0 + second * 1_000, json.dumps(event).encode()))
    return found


async def send(system: System, records: list[list[tuple[int, bytes]]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=system.broker, linger_ms=50)
    await producer.start()
    for partition, of_partition in enumerate(records):
        for at_ms, value in of_partition:
            await producer.send(
                f"{system.prefix}requests", value, partition=partition, timestamp_ms=at_ms
            )
    await producer.stop()


def record(
    system: System, records: list[list[tuple[int, bytes]]], since: int, to: int
) -> list[str]:
    """A zstd file a partition; lines are where offsets are, so that evidence names the same."""
    paths = [system.folder / f"{partition}.ndjson.zst" for partition in range(PARTITIONS)]
    for path, of_partition in zip(paths, records, strict=True):
        lines = [value if since <= at_ms < to else b"" for at_ms, value in of_partition]
        path.write_bytes(zstandard.compress(b"\n".join(lines) + b"\n"))
    return [str(path) for path in paths]


async def test_a_topic_between_times_is_as_the_files_of_its_records(system: System) -> None:
    records = values()
    await send(system, records)
    since, to = T0 + 1_000_000, T0 + 6_000_000
    slos = str(system.definitions)
    of_files = ("replay", slos, "--requests", *record(system, records, since, to))
    of_topic = ("replay", slos, "--from", "2026-01-01T00:16:40Z", "--to", str(to))

    told = system.ask(*of_topic)
    assert told.returncode == 0, told.stderr
    assert "servicelevel.warning.raised" in told.stdout
    assert told.stdout == system.call(*of_files)
    assert "replaying" not in told.stderr  # the bar is for terminals

    at = ("--status-at", str(T0 + 5_000_000))
    statuses = system.call(*of_topic, *at)
    assert statuses == system.call(*of_files, *at)
    assert [json.loads(line)["total"] for line in statuses.splitlines()] == [4_001, 4_001]

    other = system.folder / "other.yaml"
    other.write_text(DEFINITIONS.replace("0.99}", "0.5}"))
    against = ("--against", str(other))
    difference = system.call(*of_topic, *against)
    assert difference == system.call(*of_files, *against)
    assert "instead of" in difference

    offsets = [f"requests/{n}=250" for n in range(PARTITIONS)]
    by_offset = [word for offset in offsets for word in ("--from", offset)]
    found = system.call("replay", slos, *by_offset, "--status-at", str(T0 + SECONDS * 1_000))
    lines = record(system, records, T0 + 125 * PARTITIONS * 1_000, T0 + SECONDS * 1_000)
    assert found == system.call(
        *("replay", slos, "--requests", *lines, "--status-at", str(T0 + SECONDS * 1_000))
    )

    admin = AIOKafkaAdminClient(bootstrap_servers=system.broker)
    await admin.start()
    groups = [name for name, *_ in await admin.list_consumer_groups()]
    await admin.close()
    assert not [name for name in groups if name.startswith(system.prefix.rstrip("."))]


def test_what_is_not_there_has_its_exit_code(system: System) -> None:
    slos = str(system.definitions)
    for arguments, environment, code, said in (
        (("--from", "requests/0=5"), {}, WRONG_USE, "ends before offset 0"),
        (("--from", "requests/9=5"), {}, WRONG_USE, "no partition"),
        (("--topic", "orders"), {}, WRONG_USE, "`orders` is none of the source topics"),
        (
            ("--from", "1h"),
            {"SERVICELEVEL_TOPIC_PREFIX": "nobody."},
            OUT_OF_REACH,
            "nobody.requests",
        ),
        (("--from", "1h"), {"SERVICELEVEL_BROKERS": "127.0.0.1:1"}, OUT_OF_REACH, "127.0.0.1:1"),
    ):
        done = system.ask("replay", slos, *arguments, **environment)
        assert done.returncode == code, (arguments, done.stderr)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
    nothing = system.ask("replay", slos, "--from", "1h")
    assert (nothing.returncode, nothing.stdout) == (0, "")
