"""What is no predicate: each refusal says where, what was wrong and what to write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.cel import FIELD_TYPES, compile_predicate
from servicelevel.errors import CelError, UsageError
from servicelevel.schemas.events import EVENT_TYPES, Event

REFUSED = [
    ("status < 500", 1, 1, "known: duration_ms, id, operation, service, status_code, time"),
    ("true &&\n  state == 'opened'", 2, 3, "no field `state` in a request event"),
    ("status_code", 1, 1, "of type int, not bool"),
    ("service", 1, 1, "of type string, not bool"),
    ("true ? 1 : 2", 1, 1, "of type int, not bool"),
    ("true && status_code", 1, 9, "a side of `&&` is of type int"),
    ("!service", 1, 2, "what follows `!`"),
    ("service ? true : false", 1, 1, "what stands before `?`"),
    ("true ? 'a' : 1", 1, 1, "one type on both sides"),
    ("status_code == '200'", 1, 1, "write a value of type int on the right"),
    ("status_code in [1, '2']", 1, 1, "compares int with string"),
    ("status_code == null", 1, 1, "write `has(…)`"),
    ("duration_ms + 1 > 2", 1, 1, "write both as int (1) or both as double (1.0)"),
    ("attributes.n + 1u == 1u", 1, 1, "does not take dyn and uint"),
    ("service - 'a' == 'b'", 1, 1, "`-` does not take string"),
    ("duration_ms % 2.0 == 0.0", 1, 1, "`%` does not take double"),
    ("-service == 'a'", 1, 1, "before a string"),
    ("attributes", 1, 1, "name the attribute"),
    ("attributes == null", 1, 1, "name the attribute"),
    ("has(attributes)", 1, 1, "has() takes one field"),
    ("has(service, id)", 1, 1, "has() takes one field"),
    ("has(1)", 1, 1, "has() takes one field"),
    ("'region' in attributes", 1, 1, "write `has(attributes.region)`"),
    ("attributes[service] == 1", 1, 1, "a text in quotes"),
    ("attributes.a.b == 1", 1, 1, "only `attributes` has members"),
    ("service.name == 'a'", 1, 1, "only `attributes` has members"),
    ("1 in 2", 1, 1, "right of `in` stands a list"),
    ("[1] == [1]", 1, 1, "right of `in`"),
    ("size(status_code) == 1", 1, 6, "size() is for texts"),
    ("status_code.startsWith('5')", 1, 1, "startsWith() is for texts"),
    ("service.startsWith()", 1, 1, "known: has(field), size(text)"),
    ("service.upper('a') == 'A'", 1, 1, "no method `upper`"),
    ("[1, 2].exists(x, x > 1)", 1, 1, "known: has(field)"),
    ("timestamp('2026-01-01T00:00:00Z') < time", 1, 1, "no function `timestamp`"),
    ("operation.matches('(')", 1, 19, "no RE2 pattern: missing ): ("),
    ("operation.matches('((a{1000}){1000}){1000}')", 1, 19, "no RE2 pattern"),
    ("operation.matches(service)", 1, 1, "a text in quotes"),
    ("{'a': 1} == 1", 1, 1, "a map literal"),
    ("service{a: 1}", 1, 1, "a message literal"),
    (".service == 'a'", 1, 1, "a leading dot"),
    ("b'a' == 'a'", 1, 1, "bytes are not supported"),
    ("service == 'a", 1, 12, "the string has no end; close it with '"),
    ("service == 'a\n'", 1, 12, "the string has no end"),
    ('service == """a', 1, 12, 'close it with """'),
    (r"service == '\q'", 1, 12, "no escape"),
    (r"service == '\ud800'", 1, 12, "no character of Unicode"),
    (r"service == r'\''", 1, 14, "write a plain string"),
    ("status_code < 9223372036854775808", 1, 15, "does not fit an int"),
    ("status_code < -1u", 1, 15, "does not fit a uint"),
    ("duration_ms < 1e999", 1, 15, "does not fit a double"),
    ("status_code < " + "9" * 100, 1, 15, "too many digits"),
    ("status_code <", 1, 14, "ends too early"),
    ("(true", 1, 6, "ends too early"),
    ("true)", 1, 5, "this is no CEL"),
    ("true &&\n § && true", 2, 2, "this is no CEL"),
    ("status_code = 5", 1, 13, "this is no CEL"),
    ("!(" * 80 + "true" + ")" * 80, 1, 131, "nested deeper than 64"),
    ("1" + "+1" * 100 + " == 1", 1, 1, "nested deeper than 64"),
    ("true" + " " * 5_000, 1, 1, "at most 4096"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), REFUSED)
def test_refused(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(CelError) as caught:
        compile_predicate(text, event="request")
    assert says in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value) == f"line {line}, column {column}: {caught.value.problem}"
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("quote", ["'", '"', "'''", '"""', "r'", 'r"'])
def test_unterminated_strings_are_refused_at_once(quote: str) -> None:
    """The parser's pattern alone would try 2^1000 ways to read this."""
    with pytest.raises(CelError, match="the string has no end"):
        compile_predicate(quote + r"\a" * 1_000, event="request")


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_field_of_an_event_is_known(kind: str) -> None:
    assert {*FIELD_TYPES[kind], "attributes"} == set(EVENT_TYPES[kind].__struct_fields__)


WORDS = r"""
status_code duration_ms service operation attributes .region [ ] ( ) , ! - + * / % < <= ==
    != > >= in && || ? : has( size( .matches( .startsWith( .contains( .size() 1 2.5 3u null true
    false 'a' "b" r'\d' '''x''' ' " ''' \ \' // { } . x 0x1F 1e5 -1 $ é"""
PIECES = st.sampled_from([*WORDS.split(), "\n", " "])
EVENT = Event(service="s", time=0, status_code=1, attributes={"region": 1})


@given(st.lists(PIECES, max_size=40).map(" ".join) | st.lists(PIECES, max_size=40).map("".join))
def test_pieces_of_cel_are_compiled_or_refused(text: str) -> None:
    _compiled_or_refused(text)


@given(st.text(st.characters(), max_size=200))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    _compiled_or_refused(text)


@given(st.sampled_from(["(", "!", "-", "[", "1+", "a?", "has(", "a.", "a[", "size(", "a&&", "'"]))
def test_repetition_is_compiled_or_refused(piece: str) -> None:
    for count in (63, 64, 65, 500, 1_300):
        _compiled_or_refused(piece * count)
        _compiled_or_refused(piece * count + "true" + ")" * count)
        _compiled_or_refused(piece * count + "true" + ":true" * count)


def _compiled_or_refused(text: str) -> None:
    try:
        predicate = compile_predicate(text, event="request")
    except CelError as error:
        refusal = error
    else:
        assert predicate(EVENT) in (True, False, None)
        return
    lines = text.split("\n")
    assert 1 <= refusal.line <= len(lines)
    assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1
