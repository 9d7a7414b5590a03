"""Recorded events from files, a line each: plain, gzip, zstd, or a stream as standard input is."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from servicelevel.adapters.files.zstd import ZstdStream
from servicelevel.application.ports import Meter, NoMeter
from servicelevel.application.replay import RecordedLine
from servicelevel.errors import DependencyError

STANDARD_INPUT = Path("-")
_PACKED = {".gz": "gzip", ".zst": "zstd"}
_METERED = 4096  # lines between two looks at how far the file is read


def read_lines(
    path: Path, standard_input: BinaryIO | None = None, meter: Meter | None = None
) -> Iterator[RecordedLine]:
    """The lines of a file as records, numbered from 0; empty lines are passed over.

    A name that ends in `.gz` is read as gzip, `.zst` as zstd; `-` is `standard_input`, by
    default the process's. `meter` is told of the bytes of a file as it lies there. Raises
    DependencyError, at the line that cannot be read.
    """
    packing = _PACKED.get(path.suffix, "")
    try:
        with ExitStack() as stack:
            if path == STANDARD_INPUT:
                yield from _records(standard_input or sys.stdin.buffer)
                return
            file = stack.enter_context(path.open("rb"))
            stream = stack.enter_context(_unpacked(file, packing))
            yield from _metered(_records(stream), file, meter or NoMeter())
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
            return cast(BinaryIO, gzip.GzipFile(fileobj=file))
        case "zstd":
            return io.BufferedReader(ZstdStream(file), 1 << 17)
    return file


def _records(stream: BinaryIO) -> Iterator[RecordedLine]:
    for number, line in enumerate(stream):
        if value := line.strip():
            yield RecordedLine(number, value)


def _metered(lines: Iterator[RecordedLine], file: BinaryIO, meter: Meter) -> Iterator[RecordedLine]:
    if not file.seekable():
        yield from lines
        return
    position = 0
    for count, line in enumerate(lines):
        if count % _METERED == 0:
            before, position = position, file.tell()
            meter.advance(position - before)
        yield line
    meter.advance(file.tell() - position)
