"""Sends a flood through `servicelevel run` on a broker, and accounts for every record of it.

As a command it starts an Apache Kafka of its own: see `scripts/hostile`.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.system import System
from tests.hostile.accounts import Accounts, check
from tests.hostile.corpus import MAPPINGS, TOPICS
from tests.hostile.sending import send
from tests.hostile.stream import ALLOWED_LATENESS_MS, DEFINITIONS, MAX_EVENT_BYTES, flood
from tests.hostile.watching import until_read
from tests.services.kafka import KafkaBroker, missing
from tests.services.process import ManagedProcess

PARTITIONS = 4
STOP_S = 60
HEAP_MB = 1_024


def system_for(broker: str, prefix: str, folder: Path) -> System:
    """Topics and definitions for a flood, as yet without a worker."""
    settings = {
        "SERVICELEVEL_REQUEST_TOPICS": ",".join(TOPICS),
        "SERVICELEVEL_MAPPINGS": ",".join(f"{topic}={name}" for topic, name in MAPPINGS.items()),
        "SERVICELEVEL_MAX_EVENT_BYTES": f"{MAX_EVENT_BYTES}",
        "SERVICELEVEL_ALLOWED_LATENESS_MS": f"{ALLOWED_LATENESS_MS}",
        "SERVICELEVEL_IDLE_TIMEOUT_MS": "60000",
        "SERVICELEVEL_SESSION_TIMEOUT_MS": "10000",
    }
    made = System(broker, prefix, folder, DEFINITIONS, settings)
    made.call("topics", "create")
    return made


async def run(system: System, seed: int, mutated: int) -> dict[str, float]:
    """Flood one worker, and check what became of it all; figures of the run.

    Raises:
        AssertionError: a record is not accounted for, or not as is known of it.
        ChildProcessError, TimeoutError: the worker ended, or stood still.
    """
    now_ms = time.time_ns() // 1_000_000
    accounts = Accounts()
    started = time.monotonic()
    with system.worker() as worker:
        await send(system, worker, flood(seed, mutated, now_ms, PARTITIONS), now_ms, accounts)
        sent_s = time.monotonic() - started
        await until_read(system, worker, accounts)
        read_s = time.monotonic() - started
        peak = peak_mib(worker)
        assert worker.stop(STOP_S) == 0, worker.tail()
    figures = await check(system, accounts)
    assert "Traceback" not in worker.output(), worker.output()
    return {
        "seed": seed,
        "mutated": mutated,
        **figures,
        "sent_s": round(sent_s, 1),
        "read_s": round(read_s, 1),
        "all_s": round(time.monotonic() - started, 1),
        "worker_peak_mib": peak,
    }


def peak_mib(worker: ManagedProcess) -> int:
    """The most memory that the process has had."""
    status = Path(f"/proc/{worker.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if all is accounted for."""
    parser = argparse.ArgumentParser(prog="scripts/hostile", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the mutations (1)")
    parser.add_argument("--messages", type=int, default=1_000_000, help="mutated ones (1000000)")
    parser.add_argument("--folder", type=Path, help="for the broker's data (a temporary one)")
    options = parser.parse_args(arguments)
    if reason := missing():
        print(reason, file=sys.stderr)
        return 3
    with (
        tempfile.TemporaryDirectory(prefix="servicelevel-hostile-", dir=options.folder) as folder,
        KafkaBroker(Path(folder) / "kafka", heap_mb=HEAP_MB) as broker,
    ):
        system = system_for(broker.address, f"h{secrets.token_hex(3)}.", Path(folder))
        figures = asyncio.run(run(system, options.seed, options.messages))
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
