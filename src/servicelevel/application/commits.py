"""What a combiner leaves in the metadata of its commits, and how the next one starts from it.

The metadata of a source's commit holds, for each partition of `counts`, the position up to which
the log was read and the source's ledger state there. So a new process reads `counts` from there,
not from its start.
"""

import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgspec

from servicelevel.domain.counts import Tally
from servicelevel.domain.ledger import SourceState
from servicelevel.errors import START_ANEW, GapError

METADATA_BYTES = 4096  # the brokers' default offset.metadata.max.bytes
_INFLATED_BYTES = 1_048_576  # of metadata that somebody else may have written
_DEFLATED = b"z"
_VERSION = 1


class Mark(NamedTuple):
    """The source's state after all messages of a counts partition before `position`."""

    position: int
    state: SourceState


class Commit(NamedTuple):
    """A committed source offset with its metadata, "" where the broker keeps none."""

    offset: int
    metadata: str


class _Mark(msgspec.Struct, array_like=True, frozen=True):
    position: int
    epoch: int
    applied: int
    max_time_ms: int | None
    idle: bool
    tally: Tally


class _Metadata(msgspec.Struct, array_like=True, frozen=True):
    version: int
    marks: dict[int, _Mark]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Metadata)


def encode_metadata(marks: Mapping[int, Mark]) -> str:
    """The marks by counts partition as text; "" if it is more than a broker takes.

    Compact JSON, deflated where it would be too long: enough for some hundred partitions.
    """
    raw = {
        partition: _Mark(
            mark.position,
            mark.state.epoch,
            mark.state.applied,
            mark.state.max_time_ms,
            mark.state.idle,
            cast("Tally", mark.state.tally.dump()),
        )
        for partition, mark in marks.items()
    }
    text = _encoder.encode(_Metadata(_VERSION, raw))
    if len(text) > METADATA_BYTES:
        text = _DEFLATED + b85encode(zlib.compress(text, 9))
    return text.decode() if len(text) <= METADATA_BYTES else ""


def decode_metadata(text: str) -> dict[int, Mark]:
    """What `encode_metadata` wrote; nothing for any other text, which a reader can do without.

    The owner is not kept: it decides nothing for whoever comes after it.
    """
    try:
        if text.startswith(_DEFLATED.decode()):
            raw = _decoder.decode(_inflate(text[1:]))
        else:
            raw = _decoder.decode(text)
    except (msgspec.DecodeError, zlib.error, ValueError):
        return {}
    if raw.version != _VERSION:
        return {}
    return {
        partition: Mark(
            m.position, SourceState(m.epoch, "", m.applied, m.max_time_ms, m.idle, m.tally)
        )
        for partition, m in raw.marks.items()
    }


def _inflate(text: str) -> bytes:
    return zlib.decompressobj().decompress(b85decode(text), _INFLATED_BYTES)


@dataclass(frozen=True, slots=True)
class TailStart:
    """Where to begin reading a counts partition.

    Of a source with a mark, messages before the mark's position are contained in it. Where the
    log's start is deleted (`truncated`), a source without a mark must have begun after it.
    """

    position: int
    marks: Mapping[str, Mark] = field(default_factory=dict)
    truncated: bool = False


def tail_starts(
    sources: Iterable[str], commits: Mapping[str, Commit], beginnings: Sequence[int]
) -> list[TailStart]:
    """Where to begin in each counts partition, given the first offsets the broker has of them.

    Raises:
        GapError: a source was counted before, and what the log said of it is deleted.
    """
    marks = {source: decode_metadata(commits[source].metadata) for source in commits}
    known = sorted(sources)
    return [
        _tail_start(partition, known, commits, marks, beginning)
        for partition, beginning in enumerate(beginnings)
    ]


def _tail_start(
    partition: int,
    sources: Sequence[str],
    commits: Mapping[str, Commit],
    marks: Mapping[str, Mapping[int, Mark]],
    beginning: int,
) -> TailStart:
    here = {s: marks[s][partition] for s in sources if partition in marks.get(s, {})}
    for source in sources:
        if source in here:
            if here[source].position < beginning:
                raise gap(source, partition, here[source].position, beginning)
        elif source in commits and beginning > 0:
            raise gap(source, partition, 0, beginning)
    if len(here) < len(sources):
        return TailStart(beginning, here, truncated=beginning > 0)
    return TailStart(min((m.position for m in here.values()), default=beginning), here)


def gap(source: str, partition: int, needed: int, beginning: int) -> GapError:
    """The error of a source whose ledger state cannot be had from `counts`."""
    return GapError(
        f"source {source}: its state needs counts partition {partition} from offset {needed}, but "
        f"the broker's first message there is {beginning}. Lengthen the retention of counts, and "
        f"{START_ANEW}"
    )
