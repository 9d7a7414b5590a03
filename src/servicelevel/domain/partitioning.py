"""Which partition of `counts` a service lives in."""

from zlib import crc32


def counts_partition(service: str, partitions: int) -> int:
    """Stable over processes and versions: the CRC-32 of the UTF-8 name, modulo `partitions`."""
    return crc32(service.encode()) % partitions
