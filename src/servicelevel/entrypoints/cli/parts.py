"""The parts that the commands call in earnest; each is loaded when a command needs it."""

import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TextIO

from servicelevel.application.compare import SloDifference
from servicelevel.application.mirror import StatusReader
from servicelevel.entrypoints.cli.session import Demo, Parts
from servicelevel.entrypoints.replay_request import ReplayRequest
from servicelevel.settings import Settings


def real_parts() -> Parts:
    """Kafka, Redis, files, and this process's environment and streams."""
    return Parts(
        environ=os.environ,
        out=sys.stdout,
        err=sys.stderr,
        clock=lambda: time.time_ns() // 1_000_000,
        open_reader=_open_reader,
        ping_redis=_ping_redis,
        topic_problems=_topic_problems,
        create_topics=_create_topics,
        slow_client=_slow_client,
        run=_run,
        replay=_replay,
        compare=_compare,
        demo=_demo,
    )


def _open_reader(settings: Settings) -> AbstractAsyncContextManager[StatusReader]:
    from servicelevel.adapters.redis.store import open_store

    return open_store(settings)


async def _ping_redis(settings: Settings) -> None:
    from servicelevel.adapters.redis.store import open_store

    async with open_store(settings) as store:
        await store.ping()


async def _topic_problems(settings: Settings) -> list[str]:
    from servicelevel.adapters.kafka.connection import client_options
    from servicelevel.adapters.kafka.topics import topic_problems, topic_specs

    _leave_errors_to_us()
    return await topic_problems(client_options(settings, "topics"), topic_specs(settings))


async def _create_topics(settings: Settings) -> list[str]:
    from servicelevel.adapters.kafka.connection import client_options
    from servicelevel.adapters.kafka.topics import create_topics, topic_specs

    _leave_errors_to_us()
    client = client_options(settings, "topics")
    return await create_topics(client, topic_specs(settings), settings.replication_factor)


def _leave_errors_to_us() -> None:
    """The client logs a broker that is away, and raises: one of the two is enough here."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def _slow_client() -> str | None:
    from servicelevel.adapters.kafka.connection import slow_client_warning

    return slow_client_warning()


def _run(settings: Settings, role: str, workers: int, watch: bool) -> int:
    from servicelevel.entrypoints.run import run

    return run(settings, role, workers, watch=watch)


def _replay(request: ReplayRequest, out: TextIO) -> object:
    from servicelevel.entrypoints.replay import run_replay

    _leave_errors_to_us()
    return run_replay(request, out)


def _compare(request: ReplayRequest, against: Sequence[Path]) -> list[SloDifference]:
    from servicelevel.entrypoints.replay import compare_replays

    _leave_errors_to_us()
    return compare_replays(request, against)


def _demo(
    for_seconds: float | None, broker: str | None, redis_url: str | None, *, out: TextIO
) -> int:
    from servicelevel.entrypoints.demo.run import run_demo

    demo: Demo = run_demo
    return demo(for_seconds, broker, redis_url, out=out)
