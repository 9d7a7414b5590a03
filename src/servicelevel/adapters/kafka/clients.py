"""The four Kafka clients of a combiner process, opened and closed together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from servicelevel.adapters.kafka.connection import client_options, start, stop_client
from servicelevel.adapters.kafka.group import group_name
from servicelevel.adapters.kafka.records import hand_over_raw
from servicelevel.settings import Settings

_TAIL_WAIT_MS = 250
# Partitions with nothing to read are asked for alone while the others are being counted, and
# nothing else is asked of their broker meanwhile.
_SOURCES_WAIT_MS = 50
_FETCH_BYTES = 16 << 20  # in one answer of a broker
_MAX_FETCHED_BYTES = 64 << 20  # that wait to be counted, of all source partitions together
_MIN_PARTITION_BYTES, _MAX_PARTITION_BYTES = 256 << 10, 4 << 20


@dataclass(frozen=True, slots=True)
class Clients:
    """`sources` is in the group and not yet subscribed; `tail` and `lookup` are in none."""

    sources: AIOKafkaConsumer
    tail: AIOKafkaConsumer
    lookup: AIOKafkaConsumer
    producer: AIOKafkaProducer


@asynccontextmanager
async def open_clients(
    settings: Settings, max_message_bytes: int, source_partitions: int
) -> AsyncIterator[Clients]:
    """Started clients; closed in the end, which leaves the group.

    Of so many source partitions in all, each may be ours.

    Raises:
        DependencyError: no broker answers.
    """
    async with AsyncExitStack() as stack:
        # No idempotence needed: a range that comes twice is ignored the second time.
        producer = AIOKafkaProducer(
            **client_options(settings, "combiner-counts"),
            acks="all",
            max_request_size=2 * max_message_bytes,
            max_batch_size=max_message_bytes,
        )
        lookup = AIOKafkaConsumer(**client_options(settings, "combiner-lookup"))
        tail = AIOKafkaConsumer(
            **client_options(settings, "combiner-tail"),
            auto_offset_reset="none",
            fetch_max_wait_ms=_TAIL_WAIT_MS,
        )
        sources = AIOKafkaConsumer(
            **client_options(settings, "combiner"),
            group_id=group_name(settings),
            enable_auto_commit=False,
            # Positions are set by us; records deleted before we read them are an error.
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 3,
            rebalance_timeout_ms=max(settings.session_timeout_ms, 30_000),
            fetch_max_wait_ms=_SOURCES_WAIT_MS,
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=partition_bytes(source_partitions),
        )
        for client in (producer, lookup, tail, sources):
            await start(client, settings)
            stack.push_async_callback(stop_client, client)
        hand_over_raw(sources, in_lists=True)
        hand_over_raw(tail)
        yield Clients(sources, tail, lookup, producer)


def partition_bytes(partitions: int) -> int:
    """What to fetch of a source partition at a time.

    The client fetches no more of a partition while any of it waits to be counted. A batch that is
    larger is given whole all the same.
    """
    share = _MAX_FETCHED_BYTES // max(partitions, 1)
    return max(_MIN_PARTITION_BYTES, min(share, _MAX_PARTITION_BYTES))
