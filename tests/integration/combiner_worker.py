"""A combiner in a process of its own, for tests that stall and kill it: ADDRESS PREFIX OWNER."""

import asyncio
import signal
import sys
import time

from servicelevel.settings import Settings
from tests.contract.counting import World


def settings(address: str, prefix: str) -> Settings:
    return Settings(
        brokers=address,
        topic_prefix=prefix,
        group=f"{prefix}sl",
        flush_interval_ms=50,
        session_timeout_ms=2_000,
    )


async def main(address: str, prefix: str, owner: str) -> None:
    world = World(settings(address, prefix), clock=lambda: time.time_ns() // 1_000_000)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = asyncio.create_task(world.combiner(owner).run(stop))
    print("running", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
