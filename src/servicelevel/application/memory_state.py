"""State kept in a dict: for replays over files, and for tests."""

from collections.abc import Iterable
from typing import Any

from servicelevel.application.ports import StoredEntry


class MemoryState:
    """A `StateStore` that lives as long as the object."""

    def __init__(self) -> None:
        self._entries: dict[str, StoredEntry] = {}

    def get(self, key: str) -> StoredEntry | None:
        """The entry of `key`, or None."""
        return self._entries.get(key)

    def put(self, key: str, offset: int, value: Any) -> None:
        """Set `key` to `value`, as it is after the message at `offset`."""
        self._entries[key] = StoredEntry(offset, value)

    def delete(self, key: str) -> None:
        """Forget `key`; one that is not there is no error."""
        self._entries.pop(key, None)

    def scan(self) -> Iterable[tuple[str, StoredEntry]]:
        """All entries as they are now; the caller may write while it reads on."""
        return list(self._entries.items())
