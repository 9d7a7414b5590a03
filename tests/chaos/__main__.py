"""Disturbs a running system at random, and checks what came of it against its input.

`python -m tests.chaos --seed 1 --minutes 3`; exit 0: all as promised, 1: differences.
"""

import argparse
import asyncio
import logging
import shutil
import sys
import time
from pathlib import Path

from tests.chaos.collect import collect
from tests.chaos.oracle import differences
from tests.chaos.plan import Kind, steps
from tests.chaos.report import HEAD, Log, Summary, write_summary
from tests.chaos.system import ChaosSystem
from tests.chaos.traffic import Traffic

REPOSITORY = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="decides events and steps")
    parser.add_argument(
        "--minutes", type=float, default=3, help="at least so long, and each kind of step once"
    )
    parser.add_argument("--rate", type=int, default=600, help="events a second")
    parser.add_argument(
        "--dedup-records", type=int, default=0, help="send events again, and leave them out"
    )
    parser.add_argument("--into", type=Path, help="folder for logs and data; emptied first")
    given = parser.parse_args()
    folder: Path = given.into or REPOSITORY / ".cache" / "chaos" / f"seed-{given.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers die here
    traffic = Traffic(given.seed, given.rate, given.dedup_records)
    return asyncio.run(run(traffic, given.minutes * 60, folder.resolve()))


async def run(traffic: Traffic, seconds: float, folder: Path) -> int:
    """One run; the exit code."""
    seed, rate = traffic.seed, traffic.rate
    log = Log(folder)
    begun = time.monotonic()
    summary = Summary(seed, 0)
    async with ChaosSystem(folder, traffic) as chaos:
        await chaos.settle("the start")
        log.line(f"seed {seed}: {len(chaos.workers)} workers, {rate} events/s, logs in {folder}")
        for step in steps(seed):
            elapsed = time.monotonic() - begun
            if elapsed > seconds and step.number >= len(Kind):
                break
            await asyncio.sleep(step.pause_s)
            at_s = time.monotonic() - begun
            done = await chaos.do(step)
            disturbed = time.monotonic()
            await chaos.settle(f"settled after step {step.number}, {step.kind}")
            settled_s = time.monotonic() - disturbed
            summary.steps[step.kind] = summary.steps.get(step.kind, 0) + 1
            summary.slowest_settled_s = max(summary.slowest_settled_s, round(settled_s, 1))
            log.step(at_s, step, done, settled_s)
            if chaos.unsettled:
                break  # what is wrong is easiest to see now
        await chaos.finish()
        summary.minutes = round((time.monotonic() - begun) / 60, 1)
        outcome = await collect(chaos, traffic.dedup_records)
        summary.restarts = dict(chaos.workers.restarts)
        summary.slow_stops = chaos.workers.slow_stops
    found = differences(outcome)
    summary.take(outcome, found)
    write_summary(folder, summary, found)
    for line in found:
        log.line(f"DIFFERENCE {line}")
    log.line(HEAD)
    log.line(summary.row())
    if not found:
        shutil.rmtree(folder / "kafka", ignore_errors=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
