"""A combiner in a process of its own, for tests that stall and kill it.

Arguments: ADDRESS PREFIX OWNER, and what to do about a gap if not to stop.
"""

import asyncio
import logging
import signal
import sys
import time

from servicelevel.settings import OnGap, Settings
from tests.contract.counting import World


def settings(address: str, prefix: str, on_gap: OnGap = "stop") -> Settings:
    return Settings(
        brokers=address,
        topic_prefix=prefix,
        group=f"{prefix}sl",
        flush_interval_ms=50,
        session_timeout_ms=2_000,
        on_gap=on_gap,
    )


async def main(address: str, prefix: str, owner: str, on_gap: OnGap = "stop") -> None:
    world = World(settings(address, prefix, on_gap), clock=lambda: time.time_ns() // 1_000_000)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = asyncio.create_task(world.combiner(owner).run(stop))
    print("running", flush=True)
    await running


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))  # type: ignore[arg-type]  # the settings check it
