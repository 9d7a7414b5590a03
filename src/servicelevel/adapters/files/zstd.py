"""Reads zstd as a stream: frames one after the other, and a cut end is noticed."""

import io
from typing import BinaryIO

import zstandard

_FED = 1024
"""Bytes decompressed at once. A zstd block of four bytes may stand for 128 KiB, so that this
bounds what one call gives at 32 MiB."""


class ZstdStream(io.RawIOBase):
    """The content of `packed`, which is closed with it.

    Reading raises EOFError where the data ends within a frame, ZstdError where they are damaged.
    """

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._decompressor = zstandard.ZstdDecompressor()
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._given = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]  # narrower
        while not self._given:
            packed = self._packed.read(_FED)
            if not packed:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._given = memoryview(self._decompress(packed))
        size = min(len(buffer), len(self._given))
        buffer[:size] = self._given[:size]
        self._given = self._given[size:]
        return size

    def _decompress(self, packed: bytes) -> bytes:
        found = []
        while packed:
            frame = self._frame or self._decompressor.decompressobj()
            found.append(frame.decompress(packed))
            self._frame, packed = (None, frame.unused_data) if frame.eof else (frame, b"")
        return b"".join(found)

    def close(self) -> None:
        self._packed.close()
        super().close()
