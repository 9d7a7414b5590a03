"""Literals of CEL: finds where strings end before any parser looks, and reads their values."""

import math
import re

from servicelevel.errors import CelError

_INT64 = (-(2**63), 2**63 - 1)
_UINT64_MAX = 2**64 - 1
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|([0-3][0-7]{2})|[xX]([0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.|\Z))",
    re.DOTALL,
)


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column of a character, from 1."""
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


def check_strings(text: str) -> None:
    """Refuse strings that never end, in one pass.

    The parser's own patterns for strings backtrack exponentially on them; on strings that do
    end they do not.
    """
    i, end = 0, len(text)
    while i < end:
        if text.startswith("//", i):
            newline = text.find("\n", i)
            i = end if newline < 0 else newline
        elif text[i] in "\"'":
            i = _string_end(text, i)
        else:
            i += 1


def _string_end(text: str, start: int) -> int:
    quote = text[start] * 3 if text.startswith(text[start] * 3, start) else text[start]
    # `r`, and `rb` or `br` too: the parser knows only `r`, but the same care suits all
    raw = re.search(r"(?<![_a-zA-Z0-9])[bB]?[rR]$", text[max(0, start - 3) : start]) is not None
    i = start + len(quote)
    while i < len(text):
        if text.startswith(quote, i):
            return i + len(quote)
        if text[i] == "\\":
            if raw and i + 1 < len(text) and text[i + 1] in "\"'":
                raise _error(
                    text, i, "a backslash before a quote in a raw string; write a plain string"
                )
            i += 1
        if len(quote) == 1 and text[i : i + 1] in ("\n", "\r"):
            break
        i += 1
    raise _error(text, start, f"the string has no end; close it with {quote}")


def _error(text: str, index: int, problem: str) -> CelError:
    line, column = position(text, index)
    return CelError(problem, line=line, column=column)


def string_value(token: str, at: tuple[int, int]) -> str:
    """The value of a string literal as written, with its quotes and its `r`."""
    raw = token[0] in "rR"
    body = token[1:] if raw else token
    width = 3 if len(body) >= 6 and body[:3] in ('"""', "'''") else 1
    body = body[width:-width]
    if raw:
        return body
    return _ESCAPE.sub(lambda match: _unescape(match, at), body)


def _unescape(match: re.Match[str], at: tuple[int, int]) -> str:
    simple, octal, hex2, hex4, hex8, other = match.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    if other is not None:
        raise CelError(
            f"`\\{other}` is no escape in a string; write `\\\\{other}`, or r'…' for a pattern",
            line=at[0],
            column=at[1],
        )
    code = int(octal, 8) if octal is not None else int(hex2 or hex4 or hex8, 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise CelError(f"`{match[0]}` is no character of Unicode", line=at[0], column=at[1])
    return chr(code)


def int_value(token: str, at: tuple[int, int]) -> int:
    """The value of an int literal, decimal or hexadecimal; it must fit 64 bits."""
    value = _digits(token, at)
    if not _INT64[0] <= value <= _INT64[1]:
        raise CelError("the number does not fit an int (64 bits)", line=at[0], column=at[1])
    return value


def uint_value(token: str, at: tuple[int, int]) -> int:
    """The value of a uint literal such as `5u`."""
    value = _digits(token[:-1], at)
    if not 0 <= value <= _UINT64_MAX:
        raise CelError("the number does not fit a uint (64 bits)", line=at[0], column=at[1])
    return value


def double_value(token: str, at: tuple[int, int]) -> float:
    """The value of a double literal; it must be finite."""
    value = float(token)
    if not math.isfinite(value):
        raise CelError("the number does not fit a double", line=at[0], column=at[1])
    return value


def _digits(token: str, at: tuple[int, int]) -> int:
    if len(token) > 64:
        raise CelError("the number has too many digits", line=at[0], column=at[1])
    return int(token, 16 if "x" in token else 10)
