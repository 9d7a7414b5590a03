"""Waits until a flood is read, as long as it is being read."""

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient

from tests.e2e.system import System
from tests.hostile.accounts import Accounts
from tests.services.process import ManagedProcess, wait_until_async

STALL_S = 90  # without any progress, on a machine that does other things as well
STORED_S = 120
POLL_S = 1.0


async def until_read(system: System, worker: ManagedProcess, accounts: Accounts) -> None:
    """Wait until all is counted, and what is counted stored.

    ChildProcessError if the worker ends before, TimeoutError if it stands still.
    """
    ends = accounts.ends()
    committed, since = 0, time.monotonic()
    admin = AIOKafkaAdminClient(bootstrap_servers=system.broker)
    await admin.start()
    try:
        while committed < sum(ends.values()):
            found = await admin.list_consumer_group_offsets(
                f"{system.environment['SERVICELEVEL_GROUP']}-combiner"
            )
            now = sum(
                at.offset
                for partition, at in found.items()
                if f"{partition.topic.removeprefix(system.prefix)}/{partition.partition}" in ends
            )
            if worker.poll() is not None:
                raise ChildProcessError(f"the worker ended with {worker.poll()}\n{worker.tail()}")
            if now > committed:
                committed, since = now, time.monotonic()
            if time.monotonic() - since > STALL_S:
                raise TimeoutError(f"{committed} of {ends}, and no further\n{worker.tail()}")
            await asyncio.sleep(POLL_S)
    finally:
        await admin.close()

    async def stored() -> bool:
        return all(
            {s: raw[2] for s, raw in value["sources"].items() if raw[2]} == ends
            for value in await system.progress()
        )

    await wait_until_async(stored, STORED_S, what="all stored", interval=POLL_S)
