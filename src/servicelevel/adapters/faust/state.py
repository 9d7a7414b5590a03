"""The state of one counts partition, kept safe from a stalled former owner.

Faust does not fence, so a process that lost a partition may still write to its changelog. Each
incarnation of an owner therefore writes under keys of its own, and of all the entries of a
logical key the one with the highest counts offset counts: an entry is a function of the counts
log up to its offset, whoever wrote it.

Progress is the exception, as it speaks of all other entries. A new owner removes the former one's
entry of each key that it writes, also where that was written anew, with more in it, after the new
owner had loaded. So of progress the entry of the newest owner counts: all that it has come to is
there. Two things see to that, whatever any number of stalled owners do:

- Before all else an owner claims the table: it writes progress as it found it, under a term above
  all that it found. If anybody else has written since it loaded, it must load anew.
- What is further than the progress found it writes under keys of its own, before it relies on it:
  a stalled owner may have loaded before that was written, and remove it.
"""

from collections import deque
from collections.abc import Iterable, MutableMapping
from typing import Any

import orjson

from servicelevel.adapters.faust.entries import logical_key, physical_key
from servicelevel.application.evaluate.records import PROGRESS_KEY, damaged
from servicelevel.application.ports import StoredEntry
from servicelevel.errors import StateError

Record = tuple[bytes, bytes | None]
"""What goes to the changelog: key, and value or None for a tombstone."""

MARKER_HORIZON = 100_000
_NOTHING = StoredEntry(-1, None)
"""Progress where there is none; as an entry it says that somebody has claimed the table."""


class FaustState:
    """A `StateStore` over one partition of a Faust table.

    `entries` are the partition's raw entries: the value is the JSON of `[offset, value]`, of
    `[offset, value, term]` for progress, or of
    `[offset]` where a logical key was deleted. Such a marker outweighs what a stalled owner still
    writes; it is removed when the counts log is `marker_horizon` messages on. `incarnation` must
    be new for each object. Whoever changes anything writes what `claim` says first; changes of one
    message are between `begin` and `end`.
    """

    def __init__(
        self,
        partition: int,
        entries: MutableMapping[bytes, bytes],
        incarnation: str,
        *,
        marker_horizon: int = MARKER_HORIZON,
    ) -> None:
        self._partition = partition
        self._entries = entries
        self._incarnation = incarnation
        self._marker_horizon = marker_horizon
        self._offset = 0  # of the newest message that the entries know of
        self._term = 1
        self._current: dict[str, bytes] = {}  # logical key → where its value is
        self._former: dict[str, list[bytes]] = {}  # logical key → keys that are outweighed
        self._markers: deque[tuple[int, bytes]] = deque()  # in order of offset
        self._changed: dict[bytes, bytes | None] = {}  # in order of the last change
        self._untidy: list[bytes] = []
        self._ahead: list[str] = []  # logical keys that are further than progress
        self._build()

    def claim(self) -> Record:
        """What to write before all changes, those made already included, and alone: see above."""
        own = physical_key(self._partition, PROGRESS_KEY, self._incarnation)
        found = self.get(PROGRESS_KEY) or _NOTHING
        raw = self._entries[own] = _dump((*found, self._term))
        if found is not _NOTHING:
            self._leave_former(PROGRESS_KEY, own)
            self._current[PROGRESS_KEY] = own
        self._adopt(found.offset)
        return own, raw

    def get(self, key: str) -> StoredEntry | None:
        """The entry of `key`, decoded anew at each call, or None."""
        held = self._current.get(key)
        return None if held is None else _decode(held, self._entries[held])

    def put(self, key: str, offset: int, value: Any) -> None:
        """Set `key` to `value` (plain JSON, copied), as it is after the message at `offset`."""
        own = physical_key(self._partition, key, self._incarnation)
        self._offset = max(self._offset, offset)
        entry = (offset, value, self._term) if key == PROGRESS_KEY else (offset, value)
        self._write(own, _dump(entry))
        self._leave_former(key, own)
        self._current[key] = own

    def delete(self, key: str) -> None:
        """Forget `key`, as of the message in hand; one that is not there is no error."""
        if key not in self._current:
            return
        own = physical_key(self._partition, key, self._incarnation)
        self._write(own, _dump((self._offset,)))
        self._markers.append((self._offset, own))
        self._leave_former(key, own)
        del self._current[key]

    def scan(self) -> Iterable[tuple[str, StoredEntry]]:
        """All entries by logical key; the caller may write while it reads on."""
        for key in list(self._current):
            entry = self.get(key)
            if entry is not None:
                yield key, entry

    def begin(self, offset: int) -> None:
        """What follows belongs to the message at `offset`."""
        self._offset = offset

    def end(self) -> list[Record]:
        """All changes since the last call, in order: own writes first, then what they replace.

        Should a crash leave only a part of them, what is left behind is outweighed all the same.
        """
        self._drop_old_markers()
        for key in self._untidy:
            self._entries.pop(key, None)
            self._changed[key] = None
        self._untidy.clear()
        changed, self._changed = self._changed, {}
        return list(changed.items())

    def _adopt(self, beyond: int) -> None:
        """Write what has an offset above `beyond` under keys of our own."""
        for logical in self._ahead:
            held = self._current.get(logical)
            own = physical_key(self._partition, logical, self._incarnation)
            if held is not None and held != own:
                self._write(own, self._entries[held])
                self._leave_former(logical, own)
                self._current[logical] = own
        self._ahead.clear()
        markers, self._markers = self._markers, deque()
        for offset, key in markers:
            own = physical_key(self._partition, logical_key(key), self._incarnation)
            if offset > beyond and key != own:
                self._write(own, self._entries[key])
                self._untidy.append(key)
                key = own
            self._markers.append((offset, key))

    def _build(self) -> None:
        best: dict[str, tuple[int, int, bool]] = {}
        for key, raw in self._entries.items():
            logical, offset, is_marker = _head(key, raw)
            self._offset = max(self._offset, offset)
            term = _term(key, raw) if logical == PROGRESS_KEY else 0
            self._term = max(self._term, term + 1)
            outweighed = key
            # at one offset a marker outweighs a value: a new owner may delete what it finds
            if logical not in best or (term, offset, is_marker) > best[logical]:
                best[logical] = (term, offset, is_marker)
                outweighed, self._current[logical] = self._current.get(logical, b""), key
            if outweighed:
                self._former.setdefault(logical, []).append(outweighed)
        markers: list[tuple[int, bytes]] = []
        _, progress, _ = best.get(PROGRESS_KEY, (0, _NOTHING.offset, False))
        if PROGRESS_KEY in best and progress == _NOTHING.offset:
            self._former.setdefault(PROGRESS_KEY, []).append(self._current.pop(PROGRESS_KEY))
            del best[PROGRESS_KEY]
        for logical, (_, offset, is_marker) in best.items():
            if is_marker:
                self._untidy.extend(self._former.pop(logical, ()))
                markers.append((offset, self._current.pop(logical)))
            elif offset > progress:
                self._ahead.append(logical)
        self._markers.extend(sorted(markers))

    def _write(self, key: bytes, raw: bytes) -> None:
        self._entries[key] = raw
        self._changed.pop(key, None)  # so that it is last in order
        self._changed[key] = raw

    def _leave_former(self, key: str, own: bytes) -> None:
        former = (*self._former.pop(key, ()), self._current.get(key, own))
        self._untidy.extend(each for each in former if each != own)

    def _drop_old_markers(self) -> None:
        while self._markers and self._markers[0][0] + self._marker_horizon <= self._offset:
            offset, key = self._markers.popleft()
            raw = self._entries.get(key)
            if raw is not None and _head(key, raw)[1:] == (offset, True):  # not written again since
                self._untidy.append(key)


def _dump(entry: object) -> bytes:
    """Copied, since what orjson returns keeps 4 KiB of the heap for itself, however short."""
    return bytes(memoryview(orjson.dumps(entry)))


def _head(key: bytes, raw: bytes) -> tuple[str, int, bool]:
    """Logical key, offset, and whether it is a marker, without decoding the value."""
    comma = raw.find(b",")
    try:
        logical = logical_key(key)
        return (logical, int(raw[1:-1]), True) if comma < 0 else (logical, int(raw[1:comma]), False)
    except ValueError:
        raise _damaged(key) from None


def _term(key: bytes, raw: bytes) -> int:
    try:
        found = orjson.loads(raw)
        return int(found[2]) if len(found) > 2 else 0
    except (TypeError, ValueError):
        raise _damaged(key) from None


def _decode(key: bytes, raw: bytes) -> StoredEntry:
    try:
        offset, value, *_ = orjson.loads(raw)
    except ValueError:
        raise _damaged(key) from None
    return StoredEntry(offset, value)


def _damaged(key: bytes) -> StateError:
    return damaged(key, "is not [offset, value]")
