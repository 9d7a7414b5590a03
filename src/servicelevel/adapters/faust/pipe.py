"""Takes what became of the messages of one counts partition to Kafka: store, then tell."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from servicelevel.adapters.faust.state import Record
from servicelevel.domain.outputs import Output

MAX_BYTES = 16 << 20
OUTPUT_BYTES = 1_000  # about what an output takes in memory


class Changelog(Protocol):
    """Where changes of the table are kept."""

    async def claim(self, partition: int, record: Record) -> None:
        """Write the first record of an owner.

        Raises:
            RestartRequiredError: somebody else has written since the partition was read.
        """
        ...

    async def write(self, partition: int, records: Sequence[Record]) -> None:
        """Return when Kafka has all of them, in this order; after an error it may have a prefix."""
        ...


class OutputWriter(Protocol):
    """Where transitions and statuses go."""

    async def send_all(self, outputs: Sequence[Output]) -> None:
        """Return when Kafka has all of them; those of one alert in this order."""
        ...


class Step(NamedTuple):
    """One message's changes and outputs; the callbacks are called once, in order of the steps."""

    records: Sequence[Record]
    outputs: Sequence[Output]
    stored: Callable[[], object]
    told: Callable[[], object]

    @property
    def size(self) -> int:
        """About how many bytes it takes in memory."""
        records = sum(len(key) + len(value or b"") for key, value in self.records)
        return records + OUTPUT_BYTES * len(self.outputs)


class Pipe:
    """No more than `limit` steps are under way, and none is let in after `max_bytes` of them.

    So little is held while Kafka takes nothing, however large the steps are. Each stage takes all
    that wait at once.

    There is one write to the changelog at a time, so that what is in Kafka is a prefix of what
    was decided even when a write fails. The first failure goes to `fail`, and nothing of the
    partition is written after it.
    """

    def __init__(
        self,
        partition: int,
        changelog: Changelog,
        outputs: OutputWriter,
        fail: Callable[[Exception], None],
        *,
        limit: int = 256,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._partition = partition
        self._changelog = changelog
        self._outputs = outputs
        self._fail = fail
        self._limit = limit
        self._max_bytes = max_bytes
        self._steps = self._bytes = 0  # under way
        self._sizes: deque[int] = deque()  # of the steps that were pushed
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._to_store: asyncio.Queue[Step] = asyncio.Queue()
        self._to_tell: asyncio.Queue[Step] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._run(self._store), name=f"store-{partition}"),
            asyncio.create_task(self._run(self._tell), name=f"tell-{partition}"),
        ]

    @property
    def is_full(self) -> bool:
        """Whether `room` would wait."""
        return self._steps >= self._limit or self._bytes >= self._max_bytes

    async def room(self) -> None:
        """Wait until one more step may come; then call `push` or `give_back`."""
        while self.is_full:
            await self._has_room.wait()
        self._take(1, 0)

    def give_back(self) -> None:
        """The step for which there was room does not come."""
        self._take(-1, 0)

    def push(self, step: Step) -> None:
        """Take a step on; does not wait."""
        self._sizes.append(step.size)
        self._take(0, self._sizes[-1])
        self._to_store.put_nowait(step)

    def _take(self, steps: int, size: int) -> None:
        self._steps += steps
        self._bytes += size
        if self.is_full:
            self._has_room.clear()
        else:
            self._has_room.set()

    async def drained(self) -> None:
        """Return when all that was pushed is stored and told."""
        await self._to_store.join()
        await self._to_tell.join()

    async def close(self) -> None:
        """Leave off at once, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self, stage: Callable[[], Awaitable[None]]) -> None:
        try:
            while True:
                await stage()
        except Exception as error:
            self._fail(error)

    async def _store(self) -> None:
        steps = await _all_of(self._to_store)
        records = [record for step in steps for record in step.records]
        if records:
            await self._changelog.write(self._partition, records)
        for step in steps:
            step.stored()
            self._to_tell.put_nowait(step)
            self._to_store.task_done()

    async def _tell(self) -> None:
        steps = await _all_of(self._to_tell)
        outputs = [output for step in steps for output in step.outputs]
        if outputs:
            await self._outputs.send_all(outputs)
        for step in steps:
            step.told()
            self._take(-1, -self._sizes.popleft())
            self._to_tell.task_done()


async def _all_of(queue: asyncio.Queue[Step]) -> list[Step]:
    steps = [await queue.get()]
    while not queue.empty():
        steps.append(queue.get_nowait())
    return steps
