"""Settles the times of decoded events: to epoch milliseconds, plausible and not in the future."""

from collections.abc import Sequence
from typing import cast

from servicelevel.application.event_time import (
    EARLIEST_MS,
    RFC3339_LENGTH,
    rest_ms,
    second_ms,
    time_ms,
)
from servicelevel.application.refusal import Reason
from servicelevel.domain.model import EventKind
from servicelevel.errors import EventError
from servicelevel.schemas.events import ChangeEvent, Event

_PROBABLY_MICROSECONDS = 100_000_000_000_000


def settle_all(events: Sequence[Event], kind: EventKind, latest_ms: int) -> None:
    """As `settle` for each, with the usual cases in line: a call an event would be felt here."""
    if kind == "change":  # has a second time, and comes seldom
        for event in events:
            settle(event, latest_ms)
        return
    if not events or _are_settled([event.time for event in events], latest_ms):
        return
    for event in events:
        raw: object = event.time
        if type(raw) is str and len(raw) <= RFC3339_LENGTH:
            try:
                event.time = when = second_ms(raw[:19]) + rest_ms(raw[19:])
            except ValueError as error:
                raise EventError(Reason.BAD_TIME, str(error)) from error
            if not EARLIEST_MS <= when <= latest_ms:
                _check(when, latest_ms, raw)
        elif type(raw) is not int or not EARLIEST_MS <= raw <= latest_ms:
            settle(event, latest_ms)


def _are_settled(times: Sequence[object], latest_ms: int) -> bool:
    """Whether all are epoch milliseconds already, as a sum and an order of times in order tell."""
    try:
        found = sorted(cast("Sequence[int]", times))
        return type(sum(found)) is int and found[0] >= EARLIEST_MS and found[-1] <= latest_ms
    except TypeError:  # some are texts or absent
        return False


def settle(event: Event, latest_ms: int) -> None:
    """Make the event's times epoch milliseconds, in place; EventError if there is no usable one."""
    raw: object = event.time
    if raw is None:
        raise EventError(Reason.MISSING_FIELD, "the event has no `time`")
    event.time = _time(raw, "time")
    _check(event.time, latest_ms, raw)
    if isinstance(event, ChangeEvent) and event.ends_at is not None:
        event.ends_at = _time(event.ends_at, "ends_at")


def _check(when: int, latest_ms: int, raw: object) -> None:
    if when < EARLIEST_MS:
        raise EventError(
            Reason.IMPLAUSIBLE_TIME,
            f"`time` {raw!r} is before the year 2000; numbers are epoch milliseconds: "
            "is this one in seconds?",
        )
    if when > latest_ms:
        hint = "; is it in micro- or nanoseconds?" if when > _PROBABLY_MICROSECONDS else ""
        raise EventError(
            Reason.FUTURE_TIME,
            # By how much would differ each time the record is read.
            f"`time` {raw!r} is further ahead of the wall clock than `max_future_ms` allows{hint}",
        )


def _time(raw: object, field: str) -> int:
    try:
        return time_ms(raw)
    except ValueError as error:
        raise EventError(Reason.BAD_TIME, f"`{field}`: {error}") from error
