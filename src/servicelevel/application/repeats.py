"""Leaves out events that a producer has written twice, told by their ids."""

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
        # By id: the last offset that had it. What is forgotten is forgotten all at once, which
        # takes half the time of forgetting each id at its hour, for up to twice the memory.
        self._young: dict[str | bytes, int] = {}
        self._old: dict[str | bytes, int] = {}
        self._since = 0  # the first offset that the young ones may have

    def __len__(self) -> int:
        """How many ids are held: those of `records` offsets, and at most of as many before."""
        return len(self._young) + len(self._old)

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
        young, old, records = self._young, self._old, self.records
        found: list[bool] = []
        for event, offset in zip(batch.events, batch.offsets, strict=True):
            name: str | bytes | None = event.id
            if not name:
                found.append(True)
                continue
            if len(name) > LONGEST:
                name = _digest(event.id or "")
            if offset - self._since > records:
                old, young = young, {}
                self._old, self._young, self._since = old, young, offset
            last = young.get(name)
            if last is None:
                last = old.get(name)
            found.append(last is None or offset - last > records)
            young[name] = offset
        return found


def _digest(name: str) -> bytes:
    return blake2b(name.encode(errors="surrogatepass"), digest_size=32).digest()
