"""Leaves out events that a producer has written twice, told by their ids."""

from collections import deque
from itertools import compress

from servicelevel.application.decode import Batch


class Repeats:
    """Of one source: an event repeats one of the `records` offsets before it that has its id.

    So which events repeat is a function of the log: the same after a restart, once the events of
    so many offsets before are noted again. Events without an id repeat none. Feed it all events
    in the order of their offsets.
    """

    def __init__(self, records: int) -> None:
        self.records = records
        self._last: dict[str, int] = {}  # by id: the last offset that had it
        self._order: deque[tuple[int, str]] = deque()

    def __len__(self) -> int:
        """How many ids are held, at most `records`, or as many as unrolled records have."""
        return len(self._last)

    def note(self, batch: Batch) -> None:
        """Remember events that are counted already."""
        self._new(batch)

    def leave_out(self, batch: Batch) -> tuple[Batch, int]:
        """The batch without repeated events, and how many these are."""
        is_new = self._new(batch)
        repeated = is_new.count(False)
        if not repeated:
            return batch, 0
        return (
            Batch(
                list(compress(batch.events, is_new)),
                list(compress(batch.offsets, is_new)),
                list(compress(batch.values, is_new)),
                list(compress(batch.places, is_new)),
            ),
            repeated,
        )

    def _new(self, batch: Batch) -> list[bool]:
        last, order, records = self._last, self._order, self.records
        found: list[bool] = []
        for event, offset in zip(batch.events, batch.offsets, strict=True):
            name = event.id
            if not name:
                found.append(True)
                continue
            oldest = offset - records
            while order and order[0][0] < oldest:
                gone_offset, gone = order.popleft()
                if last.get(gone) == gone_offset:
                    del last[gone]
            found.append(name not in last)
            last[name] = offset
            order.append((offset, name))
        return found
