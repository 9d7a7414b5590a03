"""Records that are not counted, or not on time, as they are written to `dead-letter` and `late`."""

import base64

from servicelevel.domain.outputs import DeadLetter, LateEvent
from servicelevel.schemas.cloudevents import (
    DeadLetterData,
    DeadLetterEvent,
    LateData,
    LateEventEvent,
)
from servicelevel.schemas.moments import rfc3339
from servicelevel.schemas.outputs import encode

# What is larger would not fit the 1 MiB that a broker takes; the record itself is where it was.
MAX_VALUE_BYTES = 512 * 1024
MAX_KEY_BYTES = 64 * 1024


def dead_letter_event(letter: DeadLetter) -> bytes:
    """The event of a record that could not be read; its `id` is its place."""
    place = f"{letter.topic}/{letter.partition}/{letter.offset}"
    if letter.last_offset is not None:
        place += f"-{letter.last_offset}"
    data = DeadLetterData(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        last_offset=letter.last_offset,
        reason=letter.reason,
        detail=letter.detail,
        timestamp_ms=letter.timestamp_ms,
        key_base64=None if letter.key is None else _base64(letter.key[:MAX_KEY_BYTES]),
        value_base64=None if letter.value is None else _base64(letter.value[:MAX_VALUE_BYTES]),
        value_bytes=None if letter.value is None else len(letter.value),
    )
    return encode(
        DeadLetterEvent(
            id=f"dead-letter/{place}", subject=place, time=rfc3339(letter.timestamp_ms), data=data
        )
    )


def late_event(late: LateEvent) -> bytes:
    """The event of a late event; its `id` is its place, its `time` the event's own."""
    place = "/".join(map(str, (late.topic, late.partition, late.offset, *late.place)))
    data = LateData(
        topic=late.topic,
        partition=late.partition,
        offset=late.offset,
        service=late.service,
        time_ms=late.time_ms,
        watermark_ms=late.watermark_ms,
        lateness_ms=late.lateness_ms,
        disposition=late.disposition,
        value_base64=_base64(late.value[:MAX_VALUE_BYTES]),
        value_bytes=len(late.value),
    )
    return encode(
        LateEventEvent(id=f"late/{place}", subject=place, time=rfc3339(late.time_ms), data=data)
    )


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
