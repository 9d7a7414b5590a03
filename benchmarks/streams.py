"""Kafka Streams as a path: compiling it, starting it, and reading the counts it has committed."""

import asyncio
import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.state_watch import lag

HEAP_MB = 1024
# One thread makes the garbage: a collector without threads of its own does.
OPTIONS = (f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC")
_COUNTS = struct.Struct(">4q")


def compiled(source: Path, classes: Path, libs: Path) -> Path:
    """The folder of class files that `javac` made of a program, whose name is the file's."""
    classes.mkdir(parents=True, exist_ok=True)
    argv = ["javac", "-d", str(classes), "-cp", f"{libs}/*", str(source)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ChildProcessError(f"javac ended with {done.returncode}\n{done.stderr[-4000:]}")
    return classes / source.stem


def java(program: Path, libs: Path, temporary: Path) -> Sequence[str]:
    """The command that starts a compiled program; its arguments follow."""
    path = f"{program.parent}:{libs}/*"
    return ["java", *OPTIONS, f"-Djava.io.tmpdir={temporary}", "-cp", path, program.name]


def committed(address: str, changelog: str, partitions: int) -> Mapping[str, Sequence[int]]:
    """By service, the sums over all panes of what the changelog holds."""
    last = asyncio.run(_last(address, changelog, partitions))
    sums: dict[str, list[int]] = {}
    for (_, key), value in last.items():
        service = key.decode().partition("@")[0]
        known = sums.setdefault(service, [0] * 4)
        sums[service] = [a + b for a, b in zip(known, _COUNTS.unpack(value), strict=True)]
    return sums


async def _last(address: str, topic: str, partitions: int) -> Mapping[tuple[int, bytes], bytes]:
    """The last committed value of each key of each partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
        found: dict[tuple[int, bytes], bytes] = {}
        while await lag(consumer) > 0:
            for part, records in (await consumer.getmany(timeout_ms=200)).items():
                found.update({(part.partition, each.key): each.value for each in records})
        return found
    finally:
        await consumer.stop()
