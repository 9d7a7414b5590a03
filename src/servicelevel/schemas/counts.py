"""A message on `counts` as bytes: compact JSON, arrays by position, version 1.

`{"v":1,"t":sent_at_ms,"c":[claim…],"r":[range…]}`, where a claim is
`[source,epoch,owner,start,{topic:partitions}]` and a range
`[source,epoch,start,end,max_time_ms,idle,[read,counted,late,dead],[cell…]]`; where events were
repeated, a fifth number of the tally says how many. The cells stand last, so that a reader of the
ledger skips them.
"""

from collections.abc import Iterable
from typing import NoReturn, cast

import msgspec

from servicelevel.domain.counts import Cell, Claim, CountsMessage, Range, Tally
from servicelevel.errors import StateError

VERSION = 1


class _Claim(msgspec.Struct, array_like=True, frozen=True, gc=False):
    source: str
    epoch: int
    owner: str
    start: int
    partitions: dict[str, int]


class _Progress(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A range without its cells; msgspec skips the items of an array it has no field for."""

    source: str
    epoch: int
    start: int
    end: int
    max_time_ms: int | None
    idle: bool
    tally: Tally


class _Range(_Progress, array_like=True, frozen=True, gc=False):
    cells: tuple[Cell, ...]


class _Counts(msgspec.Struct, frozen=True, gc=False):
    v: int
    t: int
    c: list[_Claim]
    r: list[_Range]


class _Ledger(msgspec.Struct, frozen=True, gc=False):
    v: int
    t: int
    c: list[_Claim]
    r: list[_Progress]


class _Version(msgspec.Struct, gc=False):
    v: int | None = None


_encoder = msgspec.json.Encoder()
_counts = msgspec.json.Decoder(_Counts)
_ledger = msgspec.json.Decoder(_Ledger)
_version = msgspec.json.Decoder(_Version)


def encode_counts(message: CountsMessage) -> bytes:
    """The bytes of a message; integers must fit in 64 bits."""
    return _encoder.encode(
        _Counts(
            VERSION,
            message.sent_at_ms,
            [
                _Claim(c.source, c.epoch, c.owner, c.start, dict(c.partitions))
                for c in message.claims
            ],
            list(map(_written, message.ranges)),
        )
    )


def _written(r: Range) -> _Range:
    tally = cast("Tally", r.tally.dump())
    return _Range(r.source, r.epoch, r.start, r.end, r.max_time_ms, r.idle, tally, r.cells)


def decode_counts(value: bytes) -> CountsMessage:
    """What `encode_counts` wrote.

    Raises:
        StateError: the bytes are of another version, or no message of ours.
    """
    try:
        raw = _counts.decode(value)
    except msgspec.DecodeError as error:
        _refuse(value, error)
    if raw.v != VERSION:
        _refuse(value)
    ranges = tuple(
        Range(r.source, r.epoch, r.start, r.end, r.max_time_ms, r.idle, r.tally, r.cells)
        for r in raw.r
    )
    return CountsMessage(raw.t, _claims(raw.c), ranges)


def decode_ledger(value: bytes) -> CountsMessage:
    """As `decode_counts`, with all ranges' cells left out: several times faster.

    Raises:
        StateError: the bytes are of another version, or no message of ours.
    """
    try:
        raw = _ledger.decode(value)
    except msgspec.DecodeError as error:
        _refuse(value, error)
    if raw.v != VERSION:
        _refuse(value)
    ranges = tuple(
        Range(r.source, r.epoch, r.start, r.end, r.max_time_ms, r.idle, r.tally) for r in raw.r
    )
    return CountsMessage(raw.t, _claims(raw.c), ranges)


def _claims(raw: Iterable[_Claim]) -> tuple[Claim, ...]:
    return tuple(Claim(c.source, c.epoch, c.owner, c.start, c.partitions) for c in raw)


def _refuse(value: bytes, error: Exception | None = None) -> NoReturn:
    try:
        version = _version.decode(value).v
    except msgspec.DecodeError:
        version = None
    if version is not None and version != VERSION:
        raise StateError(
            f"a message on counts is of version {version}, this program reads version {VERSION}: "
            "run the release that wrote it, or stop all workers, delete the counts and changelog "
            "topics, and start anew"
        ) from error
    raise StateError(
        f"a message on counts cannot be read ({error}): something else writes to this topic, or "
        "it is damaged; give counts a topic of its own (SERVICELEVEL_TOPIC_PREFIX)"
    ) from error
