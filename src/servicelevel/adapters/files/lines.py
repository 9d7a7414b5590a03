"""Recorded events from files, a line each: plain, gzip, zstd, or a stream as standard input is."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, cast

import zstandard

from servicelevel.adapters.files.zstd import ZstdStream
from servicelevel.application.lines import Lines, RecordedLine
from servicelevel.application.ports import Meter
from servicelevel.errors import DependencyError

STANDARD_INPUT = Path("-")
_PACKED = {".gz": "gzip", ".zst": "zstd"}
PIECE_BYTES = 1 << 16  # with its events it stays within the processor's cache
BUFFER_BYTES = 1 << 16  # Python would ask the system for 8 KiB at a time
_T = TypeVar("_T")
_METERED = 4096  # lines between two looks at how far the file is read


class RecordedFile:
    """A file for a replay: `read_lines`, and the same lines in pieces."""

    def __init__(self, path: Path, meter: Meter | None = None) -> None:
        self._path = path
        self._meter = meter

    def __iter__(self) -> Iterator[RecordedLine]:
        return read_lines(self._path, meter=self._meter)

    def pieces(self) -> Iterator[Lines]:
        """All lines, some hundred at a time."""
        return read_pieces(self._path, meter=self._meter)


def read_lines(
    path: Path, standard_input: BinaryIO | None = None, meter: Meter | None = None
) -> Iterator[RecordedLine]:
    """The lines of a file as records, numbered from 0; empty lines are passed over.

    A name that ends in `.gz` is read as gzip, `.zst` as zstd; `-` is `standard_input`, by
    default the process's. `meter` is told of the bytes of a file as it lies there. Raises
    DependencyError, at the line that cannot be read.
    """
    with _opened(path, standard_input) as opened:
        lines = (
            RecordedLine(number, value)
            for number, line in enumerate(opened.stream)
            if (value := line.strip())
        )
        yield from _metered(lines, opened.file, meter, _METERED)


def read_pieces(
    path: Path,
    standard_input: BinaryIO | None = None,
    meter: Meter | None = None,
    size: int = PIECE_BYTES,
) -> Iterator[Lines]:
    """As `read_lines`, in pieces of `size` bytes and what is left of their last lines.

    DependencyError comes instead of the piece that is damaged.

    Standard input is waited for until a piece is full.
    """
    with _opened(path, standard_input) as opened:
        yield from _metered(_pieces(opened.stream, size), opened.file, meter, 1)


class _Opened(NamedTuple):
    """Unpacked content, and the file that it is read from, if any."""

    stream: BinaryIO
    file: BinaryIO | None


@contextmanager
def _opened(path: Path, standard_input: BinaryIO | None) -> Iterator[_Opened]:
    packing = _PACKED.get(path.suffix, "")
    try:
        with ExitStack() as stack:
            if path == STANDARD_INPUT:
                yield _Opened(standard_input or sys.stdin.buffer, None)
                return
            file = stack.enter_context(path.open("rb", BUFFER_BYTES))
            yield _Opened(stack.enter_context(_unpacked(file, packing)), file)
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise DependencyError(f"{path} is no {packing} file or is damaged: {error}") from error
    except EOFError as error:
        raise DependencyError(
            f"{path} is cut off: the end of its {packing} data is missing"
        ) from error
    except OSError as error:
        raise DependencyError(f"{path} cannot be read: {error.strerror or error}") from error


def bytes_of(path: Path) -> int | None:
    """How long a file is; None where that cannot be known before, as of a pipe."""
    return path.stat().st_size if path != STANDARD_INPUT and path.is_file() else None


def _unpacked(file: BinaryIO, packing: str) -> BinaryIO:
    match packing:
        case "gzip":
            return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)), BUFFER_BYTES)
        case "zstd":
            return io.BufferedReader(ZstdStream(file), BUFFER_BYTES)
    return file


def _pieces(stream: BinaryIO, size: int) -> Iterator[Lines]:
    number = 0
    while lines := stream.readlines(size):
        offsets: Sequence[int] = range(number, number + len(lines))
        number += len(lines)
        if any(map(bytes.isspace, lines)):
            offsets = [at for at, line in zip(offsets, lines, strict=True) if not line.isspace()]
            lines = [line for line in lines if not line.isspace()]
        if lines:
            yield Lines(lines, offsets)


def _metered(
    found: Iterator[_T], file: BinaryIO | None, meter: Meter | None, every: int
) -> Iterator[_T]:
    if file is None or meter is None or not file.seekable():
        yield from found
        return
    position = 0
    for count, each in enumerate(found):
        if count % every == 0:
            before, position = position, file.tell()
            meter.advance(position - before)
        yield each
    meter.advance(file.tell() - position)
