"""Makes hostile records of valid ones: by their bytes, by their structure, by their headers."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.hostile.corpus import Headers, Message

MAX_BYTES = 1_000_000
"""Of a value, with headers of up to HEADER_BYTES: what the broker just takes, 1,048,588 in all."""
HEADER_BYTES = 40_000
_LARGE_IN = 1_500  # one of so many is made large

TEXTS = (
    *('""', '"shop"', '"*"', '"__other__"', '"200"', '"NaN"', '"-"', '"\\u0000"', '"\\u202e"'),
    *(
        '"\\ud83d\\ude00"',
        '"\\ud800"',
        '"\\udc00x"',
        '"e\\u0301"',
        '"a=b,c%,"',
        '"\x7f\x00"',
        '"\n"',
    ),
    *('"2026-01-01T00:00:00Z"', '"2026-01-01T00:00:60.5+23:59"', '"0000-00-00T00:00:00Z"'),
    *('"9999-12-31T23:59:59Z"', '"2026-01-01 00:00:00z"', '"' + "9" * 60 + '"', '"1e400"', '"0x1"'),
    *('"' + "s" * 257 + '"', '"' + "\U0001f600" * 2_000 + '"', '"' + "\\u00e9" * 500 + '"'),
)
NUMBERS = (
    *(
        "0",
        "-0",
        "-1",
        "1",
        "200",
        "2",
        "5",
        "1.5",
        "-0.5",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "1e",
        "-",
    ),
    *("1e308", "1e999", "-1e999", "1e-400", "2147483647", "2147483648", "9223372036854775808"),
    *(
        "18446744073709551616",
        "9" * 400,
        "-" + "9" * 4_301,
        "0." + "0" * 5_000 + "1",
        "1e-999999999",
    ),
    *("NaN", "Infinity", "-Infinity", "1767225600", "253402300800000", "946684799999", "1e18"),
)
OTHERS = (
    *("null", "true", "false", "[]", "{}", "[1,[2]]", '{"a":1}', '{"":""}', '{"a":1,"a":2}'),
    *("nul", "None", "[1,]", "{,}", "{1:2}", "'x'", "// x", "", " ", "[", "{", "]", "}", '"', "\\"),
    *('[{"key":"service.name"}]', '{"intValue":"x"}', '{"stringValue":1,"intValue":[]}'),
)
DEPTHS = (3, 60, 247, 249, 250, 251, 252, 1_200, 20_000)
TOKENS = (
    *(
        b"\x00",
        b"\xff",
        b"\xc3",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xef\xbb\xbf",
    ),
    *(b"\n", b"\r", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u", b"\\ud800", b",", b":", b"NaN"),
    *(b"-", b"1e999", b"0" * 400, b"}\n{", b'"specversion"', b'"data":', b"null", b"[" * 300),
    *(b'{"a":' * 300, b'"time":0,', b'"service":"x",', b"\xe2\x80\xa8", b"\xc2\xa0", b" " * 500),
)
NAMES = (
    "ce_specversion",
    "ce_id",
    "ce_time",
    "content-type",
    "Content-Type",
    "",
    "traceparent",
    "é",
)
CONTENTS = (
    *(None, b"", b"1.0", b"\xff", b"\x00", b"soon", b"2026-01-01T00:00:00Z", b"x" * HEADER_BYTES),
    *(b"application/cloudevents+json", b"APPLICATION/CloudEvents+JSON; x", b"application/json"),
)


class Mutator:
    """Mutations drawn from one random source."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._seen: list[bytes] = [b"{}"]

    def mutated(self, message: Message) -> Message:
        """A hostile record; sometimes it is valid all the same."""
        rng = self._rng
        value, headers = message.value or b"", message.headers
        self._remember(value)
        what = rng.random()
        if what < 0.005:
            return message._replace(value=rng.choice((None, b"", b" ", rng.randbytes(50))))
        if what < 0.6:
            value = self._by_structure(value)
        if what > 0.5:
            for _ in range(rng.choice((1, 1, 1, 3))):
                value = rng.choice(_BY_BYTES)(self, value)
        if rng.random() < 0.15:
            headers = self._by_headers(headers)
        if rng.randrange(_LARGE_IN) == 0:
            value = self._large(value)
        return Message(message.topic, value[:MAX_BYTES], headers)

    def _remember(self, value: bytes) -> None:
        if len(self._seen) < 50:
            self._seen.append(value)
        else:
            self._seen[self._rng.randrange(50)] = value

    # By bytes.

    def _flip(self, value: bytes) -> bytes:
        if not value:
            return b"\x80"
        at = self._rng.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << self._rng.randrange(8)]) + value[at + 1 :]

    def _insert(self, value: bytes) -> bytes:
        at = self._rng.randrange(len(value) + 1)
        token = self._rng.choice(TOKENS) if self._rng.random() < 0.8 else self._rng.randbytes(5)
        return value[:at] + token + value[at:]

    def _delete(self, value: bytes) -> bytes:
        at = self._rng.randrange(len(value) + 1)
        return value[:at] + value[at + self._rng.randrange(1, 20) :]

    def _duplicate(self, value: bytes) -> bytes:
        at, end = sorted(self._rng.randrange(len(value) + 1) for _ in range(2))
        return value[:end] + value[at:end] * self._rng.choice((1, 1, 2, 30)) + value[end:]

    def _truncate(self, value: bytes) -> bytes:
        return value[: self._rng.randrange(len(value) + 1)]

    def _splice(self, value: bytes) -> bytes:
        other = self._rng.choice(self._seen)
        return (
            value[: self._rng.randrange(len(value) + 1)]
            + other[self._rng.randrange(len(other) + 1) :]
        )

    # By structure.

    def _by_structure(self, value: bytes) -> bytes:
        """As `value`, a JSON object, with some of its parts others; what is put in is raw text."""
        document = json.loads(value)
        put: list[str] = []
        for _ in range(self._rng.choice((1, 1, 2))):
            self._change(document, put)
        text = json.dumps(document, ensure_ascii=self._rng.random() < 0.5)
        for n, raw in enumerate(put):
            text = text.replace(f'"@{n}@"', raw)
        return text.encode(errors="surrogatepass")

    def _change(self, document: Any, put: list[str]) -> None:
        """Change one part of a document, anywhere in it."""
        rng = self._rng
        node: Any = document
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                return
            key = rng.choice(keys)
            if not isinstance(node[key], dict | list) or rng.random() < 0.2:
                break
            node = node[key]
        match rng.randrange(6):
            case 0:
                del node[key]
            case 1 if isinstance(node, dict):  # twice
                node[f"{key}"] = self._put(put, f"{json.dumps(node[key])}, {json.dumps(key)}: @")
            case 2 if isinstance(node, dict):  # by another name
                node[f"{key}{rng.choice((' ', 'x'))}"] = node.pop(key)
            case 3:  # another type
                node[key] = self._put(put, rng.choice(('"@"', "[@]", '{"a":@}', "@@")), node[key])
            case _:
                node[key] = self._put(put, "@")

    def _put(self, put: list[str], frame: str, old: Any = None) -> str:
        """A place for raw text: the frame with @ replaced."""
        raw = self._raw() if old is None else json.dumps(old)
        put.append(frame.replace("@", raw))
        return f"@{len(put) - 1}@"

    def _raw(self) -> str:
        rng = self._rng
        kind = rng.random()
        if kind < 0.03:
            depth = rng.choice(DEPTHS)
            opening, closing = rng.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
            return opening * depth + "1" + closing * (depth - (rng.random() < 0.1))
        return rng.choice(rng.choice((TEXTS, NUMBERS, OTHERS)))

    # Headers and sizes.

    def _by_headers(self, headers: Headers) -> Headers:
        rng = self._rng
        found = [(n, c) for n, c in headers if rng.random() < 0.7]
        for _ in range(rng.randrange(4)):
            content = rng.choice(CONTENTS)
            if content is not None and sum(len(c or b"") for _, c in found) > HEADER_BYTES // 4:
                content = content[:9]
            found.insert(rng.randrange(len(found) + 1), (rng.choice(NAMES), content))
        return tuple(found)

    def _large(self, value: bytes) -> bytes:
        """Up to what the broker takes, in one of the ways that this can be."""
        rng = self._rng
        size = int(10 ** rng.uniform(4, 6))
        at = rng.randrange(len(value) + 1)
        part = rng.choice(
            (b" ", b"x", b"[", b'{"a":', b"\\\\", b'"a",', b"9", b"\xc3\xa9", b'{"a":1},')
        )
        if rng.random() < 0.5 and b'"' in value:
            text = value.index(b'"', min(at, value.rindex(b'"'))) + 1
            return value[:text] + part * (size // len(part)) + value[text:]
        openings = [o for o in _OPENINGS if o in value]
        chosen = rng.sample(openings, min(len(openings), rng.randrange(3)))
        for opening in chosen:
            text = value.index(opening) + len(opening)
            entry = {b"[": b'{"kind":2},', b"{": b'"a":1,'}[opening[-1:]]
            value = value[:text] + entry * (size // len(chosen) // len(entry)) + value[text:]
        if chosen:
            return value
        return value[:at] + part * (size // len(part)) + value[at:]


_OPENINGS = (b'"spans": [', b'"attributes": [', b'"attributes": {', b"{")
_BY_BYTES: tuple[Callable[[Mutator, bytes], bytes], ...] = (
    Mutator._flip,
    Mutator._insert,
    Mutator._delete,
    Mutator._duplicate,
    Mutator._truncate,
    Mutator._splice,
)
