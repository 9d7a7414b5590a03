"""Recorded events from files, a line each: plain, gzip, or a stream such as standard input."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from servicelevel.application.replay import RecordedLine
from servicelevel.errors import DependencyError

STANDARD_INPUT = Path("-")


def read_lines(path: Path, standard_input: BinaryIO | None = None) -> Iterator[RecordedLine]:
    """The lines of a file as records, numbered from 0; empty lines are passed over.

    A name that ends in `.gz` is read as gzip; `-` is `standard_input`, by default the
    process's. Raises DependencyError, at the line that cannot be read.
    """
    try:
        with _opened(path, standard_input) as stream:
            for number, line in enumerate(stream):
                if value := line.strip():
                    yield RecordedLine(number, value)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DependencyError(f"{path} is no gzip file or is damaged: {error}") from error
    except EOFError as error:
        raise DependencyError(f"{path} is cut off: the end of its gzip data is missing") from error
    except OSError as error:
        raise DependencyError(f"{path} cannot be read: {error.strerror or error}") from error


def _opened(path: Path, standard_input: BinaryIO | None) -> BinaryIO:
    if path == STANDARD_INPUT:
        return standard_input or sys.stdin.buffer
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
