"""An evaluator that is made anew from its state when the definitions have changed."""

from collections.abc import Callable, Sequence

from servicelevel.application.definitions import Definitions
from servicelevel.application.evaluate import Evaluator
from servicelevel.application.pieces import Pieces
from servicelevel.domain.counts import CountsMessage
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import Output


class RenewedEvaluator:
    """As `Evaluator`, by the definitions in force at each message.

    At the end of a message all that an evaluator knows is in its state, but for how far its
    outputs have been told. So another one goes on there; what the former has decided is on its way
    already, and is not asked for (`pending`) a second time.
    """

    def __init__(self, definitions: Definitions, make: Callable[[Catalogue], Evaluator]) -> None:
        self._definitions = definitions
        self._make = make
        self._told: int | None = None
        self._rejected = 0  # by former evaluators
        self._catalogue = definitions.catalogue
        self._evaluator = make(self._catalogue)

    @property
    def next_offset(self) -> int | None:
        """The counts offset to go on with; None where nothing was handled yet."""
        return self._evaluator.next_offset

    @property
    def watermark_ms(self) -> int | None:
        """No event at or before this time is expected any more."""
        return self._evaluator.watermark_ms

    @property
    def rejected(self) -> int:
        """How many claims and ranges the ledger has ignored since this object was made."""
        return self._rejected + self._evaluator.rejected

    def steps(self, message: CountsMessage, offset: int) -> Pieces[Sequence[Output]]:
        """Handle the message at `offset`, in pieces; outputs in order of event time."""
        if self._definitions.catalogue is not self._catalogue:
            self._renew()
        return (yield from self._evaluator.steps(message, offset))

    def pending(self) -> Sequence[Output]:
        """What was decided and perhaps not told before a crash: tell it again."""
        return self._evaluator.pending()

    def told(self, offset: int) -> None:
        """All outputs of the messages up to `offset` have reached the broker."""
        self._told = offset
        self._evaluator.told(offset)

    def _renew(self) -> None:
        self._catalogue = self._definitions.catalogue
        self._rejected += self._evaluator.rejected
        self._evaluator = self._make(self._catalogue)
        if self._told is not None:
            self._evaluator.told(self._told)
