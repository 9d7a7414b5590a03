"""Lines are read from plain files, gzip files and standard input alike."""

import gzip
import io
from pathlib import Path

import pytest

from servicelevel.adapters.files.lines import STANDARD_INPUT, read_lines
from servicelevel.application.replay import RecordedLine
from servicelevel.errors import DependencyError

TEXT = b'{"a":1}\n\n  {"b":2}\r\n{"c":3}'
LINES = [RecordedLine(0, b'{"a":1}'), RecordedLine(2, b'{"b":2}'), RecordedLine(3, b'{"c":3}')]


def test_plain_gzip_and_standard_input_have_the_same_lines(tmp_path: Path) -> None:
    plain, packed = tmp_path / "events.ndjson", tmp_path / "events.ndjson.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT))

    assert list(read_lines(plain)) == LINES
    assert list(read_lines(packed)) == LINES
    assert list(read_lines(STANDARD_INPUT, io.BytesIO(TEXT))) == LINES


def test_gzip_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    packed = tmp_path / "rotated.gz"
    packed.write_bytes(gzip.compress(b"1\n") + gzip.compress(b"2\n"))
    assert [line.value for line in read_lines(packed)] == [b"1", b"2"]


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


@pytest.mark.parametrize("name", ["missing.ndjson", "missing.gz"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="No such file") as raised:
        list(read_lines(tmp_path / name))
    assert name in str(raised.value)
