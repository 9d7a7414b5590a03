from hypothesis import given
from hypothesis import strategies as st

from servicelevel.application.packing import pack
from servicelevel.domain.counts import Cell, Range
from servicelevel.schemas.counts import decode_counts

LIMIT = 400


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=12))
def test_keeps_order_and_size_and_leaves_out_only_what_is_too_large(
    sizes: list[tuple[str, int]],
) -> None:
    ranges = [
        Range(source, 1, n, n + 1, None, cells=tuple(Cell("i", "", k, 1, 1) for k in range(size)))
        for n, (source, size) in enumerate(sizes)
    ]
    packed = pack(ranges, 5, LIMIT)
    assert all(len(value) <= LIMIT for value in packed.messages)
    written = [r for value in packed.messages for r in decode_counts(value).ranges]
    for source in "abc":
        of_source = [r for r in ranges if r.source == source]
        kept = [r for r in written if r.source == source]
        assert kept == of_source[: len(kept)]
        assert (source in packed.too_large) == (len(kept) < len(of_source))
    assert [r.start for r in written] == sorted(r.start for r in written)


def test_nothing_to_say_is_no_message() -> None:
    assert pack([], 5, LIMIT).messages == []
