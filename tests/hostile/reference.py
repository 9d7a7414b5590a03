"""What must become of a record without mapping: by the documentation, with the standard library.

It shares no code with the product. Readers of JSON differ in what they let pass where the event
does not use it; there the reference raises MaybeError.
"""

import base64
import binascii
import json
import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, isinf
from time import strptime
from typing import Any

from tests.hostile.corpus import Message

MAX_DEPTH = 250
EARLIEST_MS = 946_684_800_000
READ_WITHIN_MS = 3_600_000  # a record is read so long after it was made, at most
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.(\d{1,18}))?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_STRUCTURED = b"application/cloudevents+json"


@dataclass(frozen=True)
class Read:
    """An event as far as the reference reads it."""

    service: str
    time: int
    status_code: int | None


class DeadError(Exception):
    """This is no event."""


class MaybeError(Exception):
    """A reader of JSON may take it or not."""


class _Huge:
    """A number with more digits than Python reads."""


class _Object(dict[str, Any]):
    """A JSON object, in which the last value of a name counts, and those before it."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.earlier = pairs if len(pairs) > len(self) else []
        _refuse_halves(self.earlier)


def read(message: Message, latest_ms: int, max_bytes: int) -> Read:
    """The event that is told; DeadError if none is, MaybeError if nobody knows."""
    value = message.value
    if not value or len(value) > max_bytes:
        raise DeadError
    document = _json(value)
    headers = {name: content for name, content in message.headers if content is not None}
    structured = any(
        n.lower() == "content-type" and (c or b"").lower().startswith(_STRUCTURED)
        for n, c in message.headers
    )
    outer: Mapping[str, Any] = {}
    if structured or b'"specversion"' in value:
        if not isinstance(document, dict):
            raise DeadError
        if "specversion" in document and ("data" in document or "data_base64" in document):
            outer, document = document, _data(document)
        elif structured:
            raise DeadError
    elif "ce_specversion" in headers:
        outer = {"id": _header(headers, "ce_id"), "time": _header(headers, "ce_time")}
    if outer and not (_is_text(outer.get("id")) and _is_text(outer.get("time"))):
        raise DeadError
    if not isinstance(document, _Object):
        raise DeadError
    found = _event(document, outer, latest_ms)
    for name, earlier in document.earlier:
        try:
            _event({**document, name: earlier}, outer, latest_ms)
        except DeadError as error:  # it is read, too, before the one that counts
            raise MaybeError from error
    return found


def _event(document: Mapping[str, Any], outer: Mapping[str, Any], latest_ms: int) -> Read:
    service, status = document.get("service"), document.get("status_code")
    duration, attributes = document.get("duration_ms"), document.get("attributes")
    if not isinstance(service, str) or not 1 <= len(service) <= 256:
        raise DeadError
    if not all(_is_text(document.get(name)) for name in ("id", "operation")):
        raise DeadError
    if status is not None and not (type(status) is int and -(2**31) <= status < 2**31):
        if type(status) is float and status == floor(status) if _finite(status) else False:
            raise MaybeError  # 2e2 is a whole number, too
        raise DeadError
    if duration is not None and not (_finite(duration) and duration >= 0):
        raise DeadError
    if attributes is not None:
        if not isinstance(attributes, dict):
            raise DeadError
        for each in attributes.values():
            if isinstance(each, dict | list | _Huge) or (type(each) is float and isinf(each)):
                raise DeadError
    when = document.get("time")
    return Read(service, _time(outer.get("time") if when is None else when, latest_ms), status)


def _time(raw: Any, latest_ms: int) -> int:
    if isinstance(raw, str):
        when = _rfc3339(raw)
    elif _finite(raw):
        when = floor(raw)
    else:
        raise DeadError
    if when < EARLIEST_MS:
        raise DeadError
    if latest_ms < when <= latest_ms + READ_WITHIN_MS:
        raise MaybeError  # it is in the future no more when it is read
    if when > latest_ms:
        raise DeadError
    return when


def _rfc3339(text: str) -> int:
    match = _TIME.fullmatch(text)
    if not match:
        raise DeadError
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    if int(second) > 60 or (sign and (int(hours) > 23 or int(minutes) > 59)):
        raise DeadError
    try:
        start = timegm(strptime(f"{day} {minute}", "%Y-%m-%d %H:%M"))
    except ValueError as error:
        raise DeadError from error
    offset = (int(hours) * 60 + int(minutes)) * 60 if sign else 0
    seconds = start + int(second) - (offset if sign == "+" else -offset)
    return seconds * 1000 + int(((fraction or "") + "000")[:3])


def _finite(raw: Any) -> bool:
    if type(raw) is int:
        return abs(raw) < 10**308
    return type(raw) is float and not isinf(raw)


def _is_text(raw: Any) -> bool:
    return raw is None or isinstance(raw, str)


def _header(headers: Mapping[str, bytes], name: str) -> str | None:
    try:
        return headers[name].decode() if name in headers else None
    except UnicodeDecodeError as error:
        raise DeadError from error


def _data(letter: Mapping[str, Any]) -> Any:
    if "data" in letter:
        return letter["data"]
    coded = letter["data_base64"]
    if not isinstance(coded, str):
        raise DeadError
    try:
        return _json(base64.b64decode(coded, validate=True))
    except (ValueError, binascii.Error) as error:
        raise DeadError from error


def _json(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise DeadError from error
    if _depth(text) > MAX_DEPTH:
        raise DeadError
    try:
        document = json.loads(
            text, parse_int=_int, parse_constant=_no_constant, object_pairs_hook=_Object
        )
        if "\\u" in text:
            _refuse_halves(document)
    except UnicodeEncodeError as error:
        raise MaybeError from error
    except (ValueError, RecursionError) as error:
        raise DeadError from error
    return document


def _refuse_halves(document: Any) -> None:
    """UnicodeEncodeError if a text has half of a surrogate pair."""
    json.dumps(document, ensure_ascii=False, default=str).encode()


def _int(digits: str) -> Any:
    return int(digits) if len(digits) <= 4_300 else _Huge()


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _depth(text: str) -> int:
    """How deep brackets are nested outside of texts."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.DOTALL)
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", outside):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
