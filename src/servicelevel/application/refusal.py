"""Why a record is not an event: the reason codes of dead letters, and how they are found."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate, repeat

import msgspec

from servicelevel.errors import EventError


class Reason(StrEnum):
    """The `reason` of a dead letter; once published, a code keeps its meaning."""

    NULL_VALUE = "null_value"  # a tombstone: the record has no value
    EMPTY_VALUE = "empty_value"  # the value has no bytes
    TOO_LARGE = "too_large"  # more bytes than `max_event_bytes`
    TOO_DEEP = "too_deep"  # arrays and objects nested deeper than MAX_DEPTH
    INVALID_UTF8 = "invalid_utf8"
    BROKEN_JSON = "broken_json"  # also: more than one JSON value in a record
    NOT_AN_OBJECT = "not_an_object"  # JSON, but an array, a text, a number, …
    NOT_FINITE = "not_finite"  # NaN, Infinity, or a number beyond a double's range
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"  # a field is of another type than the contract says
    OUT_OF_RANGE = "out_of_range"  # the type is right, the value is not allowed
    NEGATIVE_DURATION = "negative_duration"
    BAD_TIME = "bad_time"  # neither epoch milliseconds nor RFC 3339 with an offset
    IMPLAUSIBLE_TIME = "implausible_time"  # before the year 2000: epoch seconds, most likely
    FUTURE_TIME = "future_time"  # further ahead of the wall clock than `max_future_ms`
    ENVELOPE = "envelope"  # the CloudEvents envelope contradicts itself
    GAP = "gap"  # no record: those of some offsets were deleted before they were counted
    MAPPING = "mapping"  # the source mapping cannot be applied
    TOO_MANY_COUNTS = "too_many_counts"  # its counts do not fit into one message on `counts`


MAX_DEPTH = 250
DEEP_BYTES = 2 * (MAX_DEPTH + 1)
"""A shorter JSON document cannot be nested too deep."""

_NOT_FINITE = (b"NaN", b"Infinity", b"-Infinity")
_PLACE = re.compile(r"\(byte (\d+)\)")
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def refuse_value(value: bytes | None, max_bytes: int) -> bytes:
    """The value, if it is worth parsing; EventError otherwise."""
    if value is None:
        raise EventError(Reason.NULL_VALUE, "the record has no value (a tombstone)")
    if not value:
        raise EventError(Reason.EMPTY_VALUE, "the record's value is empty")
    if len(value) > max_bytes:
        raise EventError(
            Reason.TOO_LARGE,
            f"{len(value)} bytes, but `max_event_bytes` is {max_bytes}",
        )
    refuse_depth(value)
    return value


def refuse_depth(value: bytes) -> None:
    """EventError if the JSON is nested too deep."""
    if is_too_deep(value):
        raise EventError(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")


def any_is_too_deep(values: Sequence[bytes], block: bytes) -> bool:
    """Whether one of the values is, which the block holds in one piece: seldom looked at singly."""
    most = max(map(bytes.count, values, repeat(b"{")), default=0)
    if b"[" in block:
        most += max(map(bytes.count, values, repeat(b"[")))
    return most > MAX_DEPTH and any(map(is_too_deep, values))


def is_too_deep(value: bytes) -> bool:
    """Whether arrays and objects are nested deeper than MAX_DEPTH.

    A limit of our own, as Python's depends on where in the program it is met: the same record
    must have the same fate on every replay.
    """
    if len(value) < DEEP_BYTES or value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    if b"\\" in value:  # of a run of backslashes pairs are one each, and what is left escapes
        value = value.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_texts = b"".join(value.split(b'"')[::2])
    brackets = outside_texts.translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


def refusal(value: bytes, error: Exception) -> EventError:
    """Name the reason why `value` could not be decoded."""
    text = str(error)
    match error:
        case EventError():
            return error
        case UnicodeDecodeError():
            return EventError(Reason.INVALID_UTF8, text)
        case RecursionError():
            return EventError(Reason.TOO_DEEP, text)
        case msgspec.ValidationError():
            return EventError(_validation_reason(text), text)
        case _:
            place = _PLACE.search(text)
            if place and value.startswith(_NOT_FINITE, int(place[1])):
                return EventError(Reason.NOT_FINITE, f"JSON has no NaN and no infinity: {text}")
            return EventError(Reason.BROKEN_JSON, text)


def _validation_reason(text: str) -> Reason:
    """msgspec tells its errors apart by their text only; unit tests hold it to these."""
    if "missing required field" in text:
        return Reason.MISSING_FIELD
    if text.startswith("Expected `object`") and " - at `$" not in text:
        return Reason.NOT_AN_OBJECT
    if text.startswith("Number out of range"):
        return Reason.NOT_FINITE
    if text.endswith("at `$.duration_ms`") and ">= 0" in text:
        return Reason.NEGATIVE_DURATION
    if re.search(r"out of range|Invalid enum value|` (?:[<>]=?|of length) ", text):
        return Reason.OUT_OF_RANGE
    return Reason.WRONG_TYPE
