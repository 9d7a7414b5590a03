"""Leaves out events that a producer has written twice, told by their ids."""

from collections import deque
from hashlib import blake2b
from itertools import compress

from servicelevel.application.decode import Batch

LONGEST = 64
"""Characters of an id that are kept; of a longer one a digest of 32 bytes stands for it."""


class Repeats:
    """Of one source: an event repeats one of the `records` offsets before it that has its id.

    Or one before it in its own record. So which events repeat is a function of the log: the same
    after a restart, once the events of so many offsets before are noted again. Events without an
    id repeat none. Feed it all events in the order of their offsets.
    """

    def __init__(self, records: int) -> None:
        self.records = records
        self._last: dict[str | bytes, int] = {}  # by id: the last offset that had it
        self._offsets: deque[int] = deque()  # of all events in reach that have an id
        self._ids: deque[str | bytes] = deque()  # theirs

    def __len__(self) -> int:
        """How many ids are held: at most one for each event of `records` + 1 offsets."""
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
        last, offsets, ids, records = self._last, self._offsets, self._ids, self.records
        found: list[bool] = []
        for event, offset in zip(batch.events, batch.offsets, strict=True):
            name: str | bytes | None = event.id
            if not name:
                found.append(True)
                continue
            if len(name) > LONGEST:
                name = _digest(event.id or "")
            oldest = offset - records
            while offsets and offsets[0] < oldest:
                gone_offset, gone = offsets.popleft(), ids.popleft()
                if last.get(gone) == gone_offset:
                    del last[gone]
            found.append(name not in last)
            last[name] = offset
            offsets.append(offset)
            ids.append(name)
        return found


def _digest(name: str) -> bytes:
    return blake2b(name.encode(errors="surrogatepass"), digest_size=32).digest()
