"""One assignment of one counts partition: its evaluator, its table, and how far both are."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from servicelevel.adapters.faust.pipe import Step
from servicelevel.adapters.faust.state import FaustState
from servicelevel.application.pieces import Pieces, in_turns
from servicelevel.application.vitals import EvaluatorVitals
from servicelevel.domain.counts import CountsMessage
from servicelevel.domain.outputs import Output, Transition


class Evaluator(Protocol):
    """What is run on each counts partition."""

    @property
    def next_offset(self) -> int | None: ...
    @property
    def watermark_ms(self) -> int | None: ...
    @property
    def rejected(self) -> int: ...
    def steps(self, message: CountsMessage, offset: int) -> Pieces[Sequence[Output]]: ...
    def pending(self) -> Sequence[Output]: ...
    def told(self, offset: int) -> None: ...


class Session:
    """`open` until the partition is released; `next_offset` is that of the message to come."""

    def __init__(self, state: FaustState, evaluator: Evaluator, next_offset: int) -> None:
        self.evaluator = evaluator
        self.next_offset = next_offset
        self.open = True
        self._state = state
        self._rejected = 0
        self._applying = asyncio.Lock()

    async def apply(
        self, message: CountsMessage, offset: int, acknowledge: Callable[[], object]
    ) -> tuple[Sequence[Output], Step]:
        """Handle the message at `offset`, giving way now and then; outputs, and all it changes."""
        async with self._applying:
            self._state.begin(offset)
            outputs = await in_turns(self.evaluator.steps(message, offset))
            self.next_offset = offset + 1
            return outputs, self._step(offset, outputs, acknowledge)

    async def settled(self) -> None:
        """Wait until the message in hand is handled."""
        async with self._applying:
            pass

    def rest(self) -> Step:
        """What was noted since the last message, such as what is told."""
        return self._step(self.next_offset - 1, ())

    def first(self) -> Step:
        """What a former owner has decided and perhaps not told."""
        return self._step(self.next_offset - 1, self.evaluator.pending())

    def newly_rejected(self) -> int:
        """Claims and ranges that were rejected since the last call."""
        before, self._rejected = self._rejected, self.evaluator.rejected
        return self._rejected - before

    def _step(
        self,
        offset: int,
        outputs: Sequence[Output],
        acknowledge: Callable[[], object] | None = None,
    ) -> Step:
        def stored() -> None:
            if self.open and acknowledge is not None:
                acknowledge()

        def told() -> None:
            if self.open and outputs:
                self.evaluator.told(offset)

        return Step(self._state.end(), outputs, stored, told)


def note(
    vitals: EvaluatorVitals, partition: int, session: Session, outputs: Sequence[Output]
) -> None:
    """Tell the vitals of a message that was handled."""
    vitals.applied += 1
    vitals.rejected += session.newly_rejected()
    vitals.next_offsets[partition] = session.next_offset
    if session.evaluator.watermark_ms is not None:
        vitals.watermarks_ms[partition] = session.evaluator.watermark_ms
    for output in outputs:
        vitals.told(output.kind if isinstance(output, Transition) else "status")
