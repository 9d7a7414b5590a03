"""Raw table entries, in one dict per partition, and how their keys are written.

A key is `<partition>/<logical>#<incarnation>`, UTF-8. The incarnation is the last part, so a
logical key may hold any character.
"""

from collections.abc import Iterator, MutableMapping


def physical_key(partition: int, logical: str, incarnation: str) -> bytes:
    """The key under which one incarnation of an owner writes a logical key."""
    return f"{partition}/{logical}#{incarnation}".encode()


def logical_key(key: bytes) -> str:
    """The logical key of a physical one."""
    return key[key.index(b"/") + 1 : key.rindex(b"#")].decode()


def partition_of(key: bytes) -> int:
    """The partition that a physical key names."""
    return int(key[: key.index(b"/")])


class PartitionedEntries(MutableMapping[bytes, bytes]):
    """Looks like one mapping, as Faust wants it; to scan or drop a partition touches no other."""

    def __init__(self) -> None:
        self._partitions: dict[int, dict[bytes, bytes]] = {}

    def partition(self, number: int) -> dict[bytes, bytes]:
        """The live entries of one partition."""
        return self._partitions.setdefault(number, {})

    def drop(self, number: int) -> None:
        """Forget a partition."""
        self._partitions.pop(number, None)

    def clear(self) -> None:
        """Forget everything."""
        self._partitions.clear()

    def __getitem__(self, key: bytes) -> bytes:
        return self._partitions.get(partition_of(key), {})[key]

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.partition(partition_of(key))[key] = value

    def __delitem__(self, key: bytes) -> None:
        del self._partitions.get(partition_of(key), {})[key]

    def __iter__(self) -> Iterator[bytes]:
        for entries in self._partitions.values():
            yield from entries

    def __len__(self) -> int:
        return sum(map(len, self._partitions.values()))
