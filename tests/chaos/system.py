"""The system under test: a broker, Redis, workers, traffic; and each way to disturb it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from redis import Redis as RedisClient

from tests.chaos.feed import Feed
from tests.chaos.plan import WORKERS, Kind, Step
from tests.chaos.progress import Progress
from tests.chaos.promises import TARGETS, definitions
from tests.chaos.servers import Redis
from tests.chaos.traffic import LATE_HORIZON_MS, LATENESS_MS, PARTITIONS, Traffic
from tests.chaos.workers import Workers
from tests.e2e.system import System
from tests.e2e.topics import produce, reader
from tests.services.kafka import KafkaBroker

PREFIX = "chaos."
COUNTS_PARTITIONS = 4
SETTLED_S = 150
MORE_S = 1.0
LOOK_S = 0.3
SETTINGS = {
    "SERVICELEVEL_PARTITIONS": str(PARTITIONS),
    "SERVICELEVEL_COUNTS_PARTITIONS": str(COUNTS_PARTITIONS),
    "SERVICELEVEL_ALLOWED_LATENESS_MS": str(LATENESS_MS),
    "SERVICELEVEL_LATE_HORIZON_MS": str(LATE_HORIZON_MS),
    # The wall clock decides what an idle source makes late: here the log alone is to decide.
    "SERVICELEVEL_IDLE_TIMEOUT_MS": "86400000",
    "SERVICELEVEL_LOG_FORMAT": "json",
}


class ChaosSystem:
    """Use as an asynchronous context manager: all servers and workers end with it."""

    def __init__(self, folder: Path, traffic: Traffic) -> None:
        self.broker = KafkaBroker(folder / "kafka")
        self.redis = Redis(folder)
        self._folder, self._traffic = folder, traffic
        self._reloads = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.unsettled: list[str] = []

    async def __aenter__(self) -> "ChaosSystem":
        await asyncio.to_thread(self.broker.start)
        self.redis.start()
        settings = {
            **SETTINGS,
            "SERVICELEVEL_REDIS_URL": self.redis.url,
            "SERVICELEVEL_DEDUP_RECORDS": str(self._traffic.dedup_records),
        }
        address = self.broker.address
        self.system = System(address, PREFIX, self._folder, definitions(), settings)
        self.workers = Workers(self.system.worker)
        self.feed = Feed(address, f"{PREFIX}requests", self._traffic)
        group = self.system.environment["SERVICELEVEL_GROUP"]
        self.changelog = f"{group}-evaluator-state-changelog"
        self.progress = Progress(address, self.changelog, COUNTS_PARTITIONS)
        await asyncio.to_thread(self.system.call, "topics", "create")
        await self._say_that_no_facts_come()
        await self.progress.start()
        for _ in range(WORKERS):
            self.workers.add()
        works = (self.workers.keep(), self.progress.follow(), self.feed.run())
        self._tasks = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.workers.kill_all()
        with suppress(Exception):
            await self.progress.stop()
        self.broker.resume()
        await asyncio.to_thread(self.broker.stop)
        self.redis.kill()

    async def _say_that_no_facts_come(self) -> None:
        """Incidents and changes are read too: an event far ahead in each holds nothing back."""
        far = {"service": "nobody", "time": self._traffic.newest_ms + 90 * 86_400_000}
        incident = json.dumps({**far, "incident_id": "none", "state": "resolved"}).encode()
        change = json.dumps({**far, "kind": "none"}).encode()
        for topic, value in (("incidents", incident), ("changes", change)):
            records = [(n, value) for n in range(PARTITIONS)]
            await produce(self.broker.address, PREFIX + topic, records)

    def failed(self) -> None:
        """Raises what a part of the harness itself died of."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def do(self, step: Step) -> str:
        """Disturb; what was done, in words."""
        done: dict[Kind, Callable[[Step], Awaitable[str]]] = {
            Kind.KILL: self._kill,
            Kind.STOP: self._stop,
            Kind.STALL: self._stall,
            Kind.STALL_AND_KILL: self._stall,
            Kind.STORM: self._storm,
            Kind.ADD: self._add,
            Kind.REMOVE: self._remove,
            Kind.BROKER_KILL: self._broker_kill,
            Kind.BROKER_STALL: self._broker_stall,
            Kind.REDIS_KILL: self._redis_kill,
            Kind.RELOAD: self._reload,
        }
        return await done[step.kind](step)

    async def _kill(self, step: Step) -> str:
        slot = self.workers.pick(step.picks[0])
        await self.workers.kill(slot, step.lasts_s)
        return f"worker {slot}, started again after {step.lasts_s:.1f} s"

    async def _stop(self, step: Step) -> str:
        slot = self.workers.pick(step.picks[0])
        await self.workers.stop(slot, step.lasts_s)
        return f"worker {slot}, started again after {step.lasts_s:.1f} s"

    async def _stall(self, step: Step) -> str:
        slot = self.workers.pick(step.picks[0])
        self.workers.stall(slot)
        killed = ""
        if step.kind is Kind.STALL_AND_KILL:
            other = self.workers.pick(step.picks[1], without=slot)
            await asyncio.sleep(step.lasts_s / 2)
            await self.workers.kill(other, 0)
            await asyncio.sleep(step.lasts_s / 2)
            killed = f", worker {other} killed meanwhile"
        else:
            await asyncio.sleep(step.lasts_s)
        self.workers.resume(slot)
        return f"worker {slot} for {step.lasts_s:.1f} s{killed}"

    async def _storm(self, step: Step) -> str:
        killed = []
        for pick in step.picks:
            slot = self.workers.pick(pick)
            await self.workers.kill(slot, 0)
            killed.append(str(slot))
            await asyncio.sleep(step.lasts_s / len(step.picks))
        return f"workers {', '.join(killed)} within {step.lasts_s:.1f} s"

    async def _add(self, _: Step) -> str:
        return f"worker {self.workers.add()}"

    async def _remove(self, step: Step) -> str:
        slot = self.workers.pick(step.picks[0])
        await self.workers.remove(slot)
        return f"worker {slot}"

    async def _broker_kill(self, step: Step) -> str:
        await asyncio.to_thread(self.broker.kill)
        await asyncio.sleep(step.lasts_s)
        await asyncio.to_thread(self.broker.start)
        return f"started again after {step.lasts_s:.1f} s"

    async def _broker_stall(self, step: Step) -> str:
        self.broker.pause()
        await asyncio.sleep(step.lasts_s)
        self.broker.resume()
        return f"for {step.lasts_s:.1f} s"

    async def _redis_kill(self, step: Step) -> str:
        self.redis.kill()
        await asyncio.sleep(step.lasts_s)
        await asyncio.to_thread(self.redis.start)
        return f"empty again after {step.lasts_s:.1f} s"

    async def _reload(self, _: Step) -> str:
        self._reloads += 1
        target = TARGETS[self._reloads % len(TARGETS)]
        self.system.definitions.write_text(definitions(target))
        self.workers.hang_up()
        return f"a target is {target} now"

    async def settle(self, what: str) -> None:
        """Until all workers run and all is applied that the input topic has in a second.

        What does not settle is noted in `unsettled`.
        """
        ends: dict[str, int] = {}
        await asyncio.sleep(MORE_S)  # until there is traffic that came after the disturbance

        async def is_settled() -> bool:
            self.failed()
            nonlocal ends
            ends = ends or await self.ends("requests")
            return self.workers.all_run and all(
                self.progress.has(source, end) for source, end in ends.items()
            )

        await self._wait(is_settled, what)

    async def finish(self) -> None:
        """No more traffic; all is read, every pane complete, Redis in step; all workers stopped."""
        self.feed.stop()
        await self._tasks[2]
        await self.settle("the end")

        async def is_complete() -> bool:
            return self.progress.complete_to_ms() > self._traffic.newest_ms + 3_000_000

        await self._wait(is_complete, "every pane complete")
        await self._wait(self._is_mirrored, "Redis in step")
        await self.workers.remove_all()

    async def _is_mirrored(self) -> bool:
        wanted: dict[str, int] = {}
        for topic in ("status", "warnings", "breaches"):
            wanted |= await self.ends(topic)
        positions = await asyncio.to_thread(self.mirrored, "positions")
        found = {source.removeprefix(PREFIX): int(at) for source, at in positions.items()}
        return all(found.get(source, 0) == end for source, end in wanted.items())

    async def _wait(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(SETTLED_S):
                while not await _seen(condition):
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            self.unsettled.append(f"not seen within {SETTLED_S} s: {what}")

    async def ends(self, topic: str) -> dict[str, int]:
        """After the last record of each partition, by `topic/partition`."""
        count = PARTITIONS if topic == "requests" else COUNTS_PARTITIONS
        async with reader(self.broker.address) as consumer:
            wanted = [TopicPartition(PREFIX + topic, n) for n in range(count)]
            ends = await consumer.end_offsets(wanted)
            return {f"{topic}/{p.partition}": end for p, end in ends.items()}

    def mirrored(self, part: str) -> dict[str, str]:
        """A hash of the copy in Redis."""
        group = self.system.environment["SERVICELEVEL_GROUP"]
        with RedisClient.from_url(self.redis.url, decode_responses=True) as client:
            found: dict[str, str] = client.hgetall(f"{{{PREFIX}{group}}}:{part}")
            return found


async def _seen(condition: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await condition()
    except (KafkaError, OSError):
        return False
