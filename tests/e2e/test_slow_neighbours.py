"""A Redis that never answers, or is not there, and a reader of metrics that never reads, cost
nothing: all is counted and told as an independent count says, and the worker ends when it is asked.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from servicelevel.adapters.embedded.process import free_port
from tests.e2e.shop_load import DEFINITIONS
from tests.e2e.system import System
from tests.e2e.test_exactly_once import check, last_pane, load_into
from tests.services.kafka import KafkaBroker
from tests.services.process import ManagedProcess, wait_until_async

EVENTS = 60_000
DONE_S = 120
STOP_S = 25.0
ASKS = b"GET /metrics HTTP/1.1\r\nHost: worker\r\n\r\n" * 2_000


class SilentServer:
    """Takes connections and all that is written to them, and never answers."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4_096):
                self.heard += data
        finally:
            writer.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[SilentServer, int]]:
    """The server and its port."""
    silent = SilentServer()
    server = await asyncio.start_server(silent.serve, "127.0.0.1", 0)
    async with server:
        yield silent, server.sockets[0].getsockname()[1]


def http_port(worker: ManagedProcess) -> int:
    """Where a worker says that it answers, 0 before it does."""
    found = re.search(r'"port": (\d+), "event": "answering over HTTP"', worker.output())
    return int(found[1]) if found else 0


@contextmanager
def reader_that_never_reads(port: int) -> Iterator[None]:
    """Asks for more than fits into all buffers on the way."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect(("127.0.0.1", port))
        reader.setblocking(False)
        assert reader.send(ASKS) > 0
        yield


async def count_beside(kafka: KafkaBroker, prefix: str, folder: Path, redis_port: int) -> None:
    """A backlog, counted beside such neighbours."""
    settings = {
        "SERVICELEVEL_HTTP_PORT": "0",
        "SERVICELEVEL_REDIS_URL": f"redis://127.0.0.1:{redis_port}",
    }
    system = System(kafka.address, prefix, folder, DEFINITIONS, settings)
    system.call("topics", "create")
    load = await load_into(system, 5, EVENTS)
    with system.worker() as worker:
        await wait_until_async(lambda: http_port(worker), DONE_S, what="the port of the worker")
        with reader_that_never_reads(http_port(worker)):
            await wait_until_async(
                lambda: system.judged(EVENTS, last_pane(load)), DONE_S, what="all judged"
            )
            assert "the mirror waits" in worker.output()
            asked = time.monotonic()
            assert await asyncio.to_thread(worker.stop, STOP_S) == 0, worker.tail()
            assert time.monotonic() - asked < STOP_S
    await check(system, load)


async def test_a_redis_that_never_answers(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    async with silent_server() as (silent, port):
        await count_beside(kafka, topic_prefix, tmp_path, port)
    assert silent.heard, "the worker has never spoken to it: nothing was tested"


async def test_a_redis_that_is_not_there(
    kafka: KafkaBroker, topic_prefix: str, tmp_path: Path
) -> None:
    await count_beside(kafka, topic_prefix, tmp_path, free_port())
