"""Keeps an evaluator per counts partition, and its table, outputs and progress in step."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from servicelevel.adapters.faust.pipe import Changelog, OutputWriter, Pipe
from servicelevel.adapters.faust.session import Evaluator, Session, note
from servicelevel.adapters.faust.state import FaustState
from servicelevel.application.ports import StateStore
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.domain.counts import CountsMessage
from servicelevel.errors import START_ANEW, GapError, RestartRequiredError

Decode = Callable[[bytes], CountsMessage]


EvaluatorFactory = Callable[[StateStore, int], Evaluator]
"""From the state of a counts partition, and the partition."""


class CountsLog(Protocol):
    """The counts topic, and the group's progress on it."""

    async def earliest(self, partition: int) -> int:
        """The first offset that is still there."""
        ...

    async def rewind(self, partition: int, offset: int) -> None:
        """Let the next process begin at `offset`, if the broker allows it."""
        ...


class EvaluatorHost:
    """Applies messages in order, each once, and ends the process rather than guess.

    `open_state` reads the partition's entries as they are now, under a new incarnation.
    """

    def __init__(
        self,
        *,
        evaluators: EvaluatorFactory,
        open_state: Callable[[int], FaustState],
        decode: Decode,
        log: CountsLog,
        changelog: Changelog,
        outputs: OutputWriter,
        vitals: EvaluatorVitals,
        limit: int = 256,
    ) -> None:
        self._vitals = vitals
        self._evaluators = evaluators
        self._open_state = open_state
        self._decode = decode
        self._log = log
        self._changelog = changelog
        self._outputs = outputs
        self._limit = limit
        self._sessions: dict[int, Session] = {}
        self._pipes: dict[int, Pipe] = {}
        self._assigned: frozenset[int] = frozenset()
        self._running = asyncio.Event()
        self._failed = asyncio.Event()
        self._failure: Exception | None = None

    async def handle(
        self, partition: int, offset: int, value: bytes, acknowledge: Callable[[], object]
    ) -> None:
        """Apply the message at `offset`; `acknowledge` is called when its changes are in Kafka.

        Between `release` and `resume` it waits; what is not ours any more is left to others.

        Raises:
            RestartRequiredError: the message is not the next one.
            GapError: the next message was deleted before it was read.
            Exception: what went wrong with a former message; the process must end.
        """
        self._raise_failure()
        if not self._running.is_set():
            await self._unless_failed(asyncio.ensure_future(self._running.wait()))
        if partition not in self._assigned:
            return
        session = self._sessions.get(partition) or await self._open(partition)
        if session is None:
            return
        if offset < session.next_offset:
            acknowledge()
            return
        if offset > session.next_offset:
            await self._refuse(partition, offset, session.next_offset)
        pipe = self._pipe(partition)
        await self._room(pipe)
        if not (session.open and self._running.is_set()):
            pipe.give_back()
            return
        message = self._decode(value)
        try:
            outputs, step = await session.apply(message, offset, acknowledge)
        except BaseException as error:  # cancelled, too
            self._drop(partition, session, offset, error)
            raise
        if not session.open:  # it took too long for a release, and this process ends
            pipe.give_back()
            return
        note(self._vitals, partition, session, outputs)
        pipe.push(step)

    def _drop(self, partition: int, session: Session, offset: int, error: BaseException) -> None:
        """A message was left half handled: what it changed so far must not be stored."""
        session.open = False
        if self._sessions.get(partition) is session:
            del self._sessions[partition]
        if not isinstance(error, Exception):
            error = RestartRequiredError(
                f"counts/{partition}: message {offset} was left half handled: start this process "
                "anew"
            )
        self._fail(error)

    async def release(self, timeout_s: float) -> None:
        """The partitions may go to others: finish what was begun, and forget what was read.

        Raises:
            RestartRequiredError: it did not finish in time.
            Exception: as for `handle`.
        """
        self._running.clear()
        self._vitals.give_back()
        try:
            async with asyncio.timeout(timeout_s):
                await self._unless_failed(asyncio.ensure_future(self._finish()))
        except TimeoutError:
            raise RestartRequiredError(
                f"the message in hand, or the table's changes, were not done within {timeout_s:g} "
                "s: start this process anew"
            ) from None
        finally:
            for session in self._sessions.values():
                session.open = False
            self._sessions.clear()
            self._vitals.give_back()  # the message in hand was noted

    def resume(self, partitions: Iterable[int]) -> None:
        """The table is loaded for these partitions: take their messages on."""
        self._assigned = self._vitals.assigned = frozenset(partitions)
        self._running.set()

    async def close(self, timeout_s: float) -> None:
        """Release everything, and end the tasks."""
        try:
            await self.release(timeout_s)
        finally:
            for pipe in self._pipes.values():
                await pipe.close()
            self._pipes.clear()

    async def failure(self) -> Exception:
        """Wait for the error that ends this host."""
        await self._failed.wait()
        assert self._failure is not None  # noqa: S101  # set before the event
        return self._failure

    async def _open(self, partition: int) -> Session | None:
        earliest = await self._log.earliest(partition)
        pipe = self._pipe(partition)
        await self._room(pipe)
        if not self._running.is_set():
            pipe.give_back()
            return None
        state = self._open_state(partition)
        evaluator = self._evaluators(state, partition)
        following = evaluator.next_offset
        if following is None:
            following = earliest
        elif following < earliest:
            raise GapError(
                f"counts/{partition}: messages {following} to {earliest - 1} were deleted before "
                f"they were evaluated. Lengthen the retention of counts, and {START_ANEW}"
            )
        await self._unless_failed(asyncio.ensure_future(self._claim(partition, pipe, state)))
        if not self._running.is_set():
            pipe.give_back()
            return None
        session = self._sessions[partition] = Session(state, evaluator, following)
        step = session.first()
        if step.records or step.outputs:
            pipe.push(step)
        else:
            pipe.give_back()
        return session

    async def _claim(self, partition: int, pipe: Pipe, state: FaustState) -> None:
        await pipe.drained()
        await self._changelog.claim(partition, state.claim())

    async def _finish(self) -> None:
        for session in list(self._sessions.values()):
            await session.settled()
        for pipe in self._pipes.values():
            await pipe.drained()
        for partition, session in self._sessions.items():  # what was told is noted in the table
            pipe = self._pipe(partition)
            await pipe.room()
            pipe.push(session.rest())
            await pipe.drained()

    async def _refuse(self, partition: int, offset: int, following: int) -> None:
        await self._log.rewind(partition, following)
        raise RestartRequiredError(
            f"counts/{partition}: message {offset} came where the table expects {following}; "
            "start this process anew and it resumes there"
        )

    def _pipe(self, partition: int) -> Pipe:
        pipe = self._pipes.get(partition)
        if pipe is None:
            pipe = self._pipes[partition] = Pipe(
                partition, self._changelog, self._outputs, self._fail, limit=self._limit
            )
        return pipe

    async def _room(self, pipe: Pipe) -> None:
        if pipe.is_full:
            await self._unless_failed(asyncio.ensure_future(pipe.room()))
        else:
            await pipe.room()  # does not wait

    async def _unless_failed(self, wanted: "asyncio.Future[object]") -> None:
        failed = asyncio.ensure_future(self._failed.wait())
        try:
            await asyncio.wait((wanted, failed), return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
            await wanted
        finally:
            failed.cancel()
            wanted.cancel()

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
            self._failed.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
