"""Lines are read from plain files, gzip files and standard input alike."""

import gzip
import io
import random
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.adapters.files.lines import STANDARD_INPUT, RecordedFile, read_lines, read_pieces
from servicelevel.application.lines import RecordedLine
from servicelevel.application.ports import NoMeter
from servicelevel.errors import DependencyError

TEXT = b'{"a":1}\n\n  {"b":2}\r\n{"c":3}'
LINES = [RecordedLine(0, b'{"a":1}'), RecordedLine(2, b'{"b":2}'), RecordedLine(3, b'{"c":3}')]


def test_plain_packed_and_standard_input_have_the_same_lines(tmp_path: Path) -> None:
    plain, packed = tmp_path / "events.ndjson", tmp_path / "events.ndjson.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))
    small = tmp_path / "events.ndjson.zst"
    small.write_bytes(zstandard.compress(TEXT))

    assert list(read_lines(plain)) == LINES
    assert list(read_lines(packed)) == LINES
    assert list(read_lines(small)) == LINES
    assert list(read_lines(STANDARD_INPUT, io.BytesIO(TEXT))) == LINES


@given(
    st.lists(
        st.sampled_from([b'{"a":1}', b"\n", b"\r", b"\r\n", b" ", b"\t\x0b", b"\xff", b"\x1c"])
    ),
    st.integers(1, 40),
)
def test_pieces_have_the_same_lines(parts: list[bytes], size: int) -> None:
    content = b"".join(parts)
    pieces = read_pieces(STANDARD_INPUT, io.BytesIO(content), size=size)
    lines = [line for piece in pieces for line in piece]
    assert lines == list(read_lines(STANDARD_INPUT, io.BytesIO(content)))


def test_a_recorded_file_can_be_read_both_ways_and_again(tmp_path: Path) -> None:
    packed = tmp_path / "events.ndjson.zst"
    packed.write_bytes(zstandard.compress(TEXT))
    told: list[int] = []

    class Told(NoMeter):
        def advance(self, size: int) -> None:
            told.append(size)

    recorded = RecordedFile(packed, Told())
    for _ in range(2):
        assert list(recorded) == LINES
        (piece,) = recorded.pieces()
        assert list(piece) == LINES
        assert list(piece[1:]) == LINES[1:]
    assert sum(told) == 4 * packed.stat().st_size


def test_gzip_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    packed = tmp_path / "rotated.gz"
    packed.write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    assert [line.value for line in read_lines(packed)] == [b"1", b"2"]


SKIPPABLE = b"\x50\x2a\x4d\x18\x05\0\0\0hello"
"""A frame without content: RFC 8878, 3.1.2."""


@pytest.mark.parametrize("size", [1, 3_000, 300_000])
def test_zstd_frames_one_after_the_other_are_one_file(size: int, tmp_path: Path) -> None:
    packed = tmp_path / "rotated.zst"
    lines = [random.Random(size + n).randbytes(size).hex().encode() for n in range(5)]
    frames = [zstandard.compress(line + b"\n") for line in lines]
    packed.write_bytes(SKIPPABLE.join([b"", *frames, b""]))
    assert [line.value for line in read_lines(packed)] == lines


def test_zstd_without_the_size_of_its_content_is_read(tmp_path: Path) -> None:
    packed = tmp_path / "piped.zst"
    made = zstandard.ZstdCompressor().compressobj()
    packed.write_bytes(made.compress(TEXT) + made.flush())
    assert list(read_lines(packed)) == LINES


ZSTD = zstandard.ZstdCompressor(write_checksum=True).compress(TEXT * 9)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT, "is no zstd file or is damaged"),
        (ZSTD[:-1], "is cut off: the end of its zstd data"),
        (ZSTD[:3], "is cut off"),
        (ZSTD + ZSTD[:20], "is cut off"),
        (ZSTD[:-4] + b"\0" * 4, "is no zstd file or is damaged"),
        (ZSTD + b"more text", "is no zstd file or is damaged"),
    ],
    ids=["plain", "cut", "header", "second", "checksum", "after"],
)
def test_damaged_zstd_names_the_file(content: bytes, said: str, tmp_path: Path) -> None:
    packed = tmp_path / "events.zst"
    packed.write_bytes(content)
    with pytest.raises(DependencyError, match=said) as raised:
        list(read_lines(packed))
    assert str(packed) in str(raised.value)
    with pytest.raises(DependencyError, match=said):
        list(read_pieces(packed))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TEXT, "is no gzip file or is damaged"),
        (gzip.compress(TEXT)[:-12], "is cut off"),
        (gzip.compress(TEXT)[:-8] + b"\0" * 8, "is no gzip file or is damaged"),
        (gzip.compress(TEXT)[:10] + b"\xff" * 40, "is no gzip file or is damaged"),
    ],
    ids=["plain", "cut", "checksum", "deflate"],
)
def test_damaged_gzip_names_the_file(content: bytes, said: str, tmp_path: Path) -> None:
    packed = tmp_path / "events.gz"
    packed.write_bytes(content)
    with pytest.raises(DependencyError, match=said) as raised:
        list(read_lines(packed))
    assert str(packed) in str(raised.value)
    with pytest.raises(DependencyError, match=said):
        list(read_pieces(packed))


@pytest.mark.parametrize("name", ["missing.ndjson", "missing.gz", "missing.zst"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="No such file") as raised:
        list(read_lines(tmp_path / name))
    assert name in str(raised.value)
