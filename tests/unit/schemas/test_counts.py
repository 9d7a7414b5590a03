from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicelevel.domain.counts import BadEvidence, Cell, Claim, CountsMessage, Range, Tally
from servicelevel.errors import StateError
from servicelevel.schemas.counts import decode_counts, decode_ledger, encode_counts

numbers = st.integers(min_value=-(2**63), max_value=2**63 - 1)
texts = st.text(st.characters(codec="utf-8"))
evidence = st.builds(
    BadEvidence,
    st.dictionaries(texts, st.tuples(numbers, numbers), max_size=3),
    st.dictionaries(texts, numbers, max_size=3),
)
sketches = st.dictionaries(st.integers(0, 2_000), numbers, max_size=3)
cells = st.builds(
    Cell,
    texts,
    texts,
    numbers,
    numbers,
    numbers,
    st.none() | evidence,
    numbers,
    st.none() | sketches,
)
claims = st.builds(
    Claim, texts, numbers, texts, numbers, st.dictionaries(texts, numbers, max_size=3)
)
ranges = st.builds(
    Range,
    texts,
    numbers,
    numbers,
    numbers,
    st.none() | numbers,
    st.booleans(),
    st.builds(Tally, numbers, numbers, numbers, numbers, st.just(0) | numbers),
    st.lists(cells, max_size=3).map(tuple),
)
messages = st.builds(
    CountsMessage,
    numbers,
    st.lists(claims, max_size=3).map(tuple),
    st.lists(ranges, max_size=3).map(tuple),
)


@given(messages)
def test_reads_what_it_wrote(message: CountsMessage) -> None:
    assert decode_counts(encode_counts(message)) == message


@given(messages)
def test_the_ledger_part_is_the_message_without_cells(message: CountsMessage) -> None:
    without = replace(message, ranges=tuple(replace(r, cells=()) for r in message.ranges))
    assert decode_ledger(encode_counts(message)) == without


@pytest.mark.parametrize(
    ("tally", "written"),
    [(Tally(3, 2, 0, 1), b"[3,2,0,1]"), (Tally(3, 2, 0, 0, 1), b"[3,2,0,0,1]")],
)
def test_a_tally_without_repeated_events_is_written_as_before(tally: Tally, written: bytes) -> None:
    value = encode_counts(CountsMessage(0, (), (Range("requests/0", 1, 0, 3, 5, False, tally),)))
    assert b",false,%b,[]]" % written in value
    assert decode_counts(value).ranges[0].tally == tally


@pytest.mark.parametrize("decode", [decode_counts, decode_ledger])
@pytest.mark.parametrize("value", [b'{"v":2,"t":1,"c":[],"r":[]}', b'{"v":2,"something":"new"}'])
def test_another_version_is_refused_with_what_to_do(
    decode: Callable[[bytes], CountsMessage], value: bytes
) -> None:
    with pytest.raises(StateError, match=r"version 2.*version 1.*run the release"):
        decode(value)


@pytest.mark.parametrize("decode", [decode_counts, decode_ledger])
@pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b'{"v":1}', b'{"t":1}', b'{"v":1,"t":"x"}'])
def test_what_is_no_message_is_refused(
    decode: Callable[[bytes], CountsMessage], value: bytes
) -> None:
    with pytest.raises(StateError, match="something else writes to this topic"):
        decode(value)
