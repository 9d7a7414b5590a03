"""Records that hold many events: each counts once, and what is bad is told with its place."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servicelevel.adapters.files.mapping import load_mapping
from servicelevel.application.decode import Batch, DecodeLimits, decode_batch
from servicelevel.application.evaluate import EvaluationPolicy
from servicelevel.application.lateness import Lateness
from servicelevel.application.lines import RecordedLine
from servicelevel.application.mapping import SourceMapping
from servicelevel.application.refusal import Reason
from servicelevel.application.replay import Recording, ReplayOptions, replay
from servicelevel.domain.counts import Tally
from servicelevel.domain.model import Catalogue
from servicelevel.domain.outputs import DeadLetter
from servicelevel.schemas.asides import late_event
from servicelevel.schemas.events import Event
from servicelevel.schemas.mapping import MappingSpec
from tests.builders.ladder import LADDER

NOW = 1_767_225_600_000
FIELDS = {"service": "groups.name", "time": "at", "operation": "record.site", "id": "id"}
VALUE = {"stringValue": "shop"}
SELECT = {"path": "kind", "values": [2, "server"]}


class Record(NamedTuple):
    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    key: bytes | None = None
    timestamp: int = NOW


def mapping(**spec: Any) -> SourceMapping:
    base = {"unroll": ["groups", "items"], "select": SELECT, "fields": FIELDS, **spec}
    return SourceMapping(MappingSpec.model_validate(base))


def decode(
    *documents: Any, mapped: SourceMapping | None = None, headers: Any = ()
) -> tuple[Batch, list[DeadLetter]]:
    records = [Record(7 + n, json.dumps(d).encode(), headers) for n, d in enumerate(documents)]
    return decode_batch(
        records,
        topic="t",
        partition=0,
        kind="request",
        now_ms=NOW,
        limits=DecodeLimits(),
        mapping=mapped or mapping(),
    )


def item(at: Any = NOW, kind: Any = 2, **more: Any) -> dict[str, Any]:
    return {"at": at, "kind": kind, **more}


def group(name: str, *items: Any) -> dict[str, Any]:
    return {"name": name, "items": list(items)}


def test_each_object_of_the_innermost_lists_is_an_event() -> None:
    document = {
        "site": "eu",
        "groups": [group("a", item(NOW - 1), item(NOW - 2)), {"name": "b"}, group("c", item())],
    }
    batch, dead = decode(document, {"groups": []}, {"groups": [group("d", item())]})
    assert dead == []
    assert batch.events == [
        Event(service="a", time=NOW - 1, operation="eu"),
        Event(service="a", time=NOW - 2, operation="eu"),
        Event(service="c", time=NOW, operation="eu"),
        Event(service="d", time=NOW),
    ]
    assert batch.offsets == [7, 7, 7, 9]
    assert list(batch.places) == [(0, 0), (0, 1), (2, 0), (0, 0)]
    assert [json.loads(value) for value in batch.values][1] == item(NOW - 2)


def test_what_is_not_selected_is_nothing() -> None:
    items = [item(kind=kind) for kind in (1, 2, "server", "client", None, [2])]
    batch, dead = decode({"groups": [group("a", *items)]}, {"groups": [group("a", item(kind=1))]})
    assert (batch.places, dead) == ([(0, 1), (0, 2)], [])


def test_records_that_are_not_unrolled_can_be_selected() -> None:
    mapped = mapping(unroll=[], fields={"service": "name", "time": "at"})
    batch, dead = decode(item(name="a"), item(name="b", kind=3), mapped=mapped)
    assert ([e.service for e in batch.events], batch.places, dead) == (["a"], (), [])


def test_the_good_count_and_the_first_bad_one_is_told() -> None:
    document = {
        "groups": [group("a", item(), item("noon"), item(), item(NOW * 2)), group("", item())]
    }
    batch, (letter,) = decode(document)
    assert list(batch.places) == [(0, 0), (0, 2)]
    assert (letter.offset, letter.reason) == (7, Reason.MAPPING)
    assert letter.detail.startswith("groups[0].items[1]: time: 'noon'")
    assert letter.value == json.dumps(document).encode()


@pytest.mark.parametrize(
    ("document", "detail"),
    [
        ({}, "the record has no `groups` to unroll"),
        ({"groups": None}, "the record has no `groups` to unroll"),
        ({"groups": {}}, "`groups` is no list"),
        ({"groups": [7]}, "groups[0]: no JSON object"),
        ({"groups": [group("a"), {"items": "x"}]}, "groups[1]: `items` is no list"),
        ({"groups": [group("a", item(), [])]}, "groups[0].items[1]: no JSON object"),
        ({"groups": [group("a", item(NOW + 10**9))]}, "groups[0].items[0]: `time`"),
        ({"groups": [group("a", item(None))]}, "groups[0].items[0]: the event has no `time`"),
    ],
)
def test_says_where_a_record_is_wrong(document: Any, detail: str) -> None:
    _, (letter,) = decode(document)
    assert letter.detail.startswith(detail)


def test_an_envelopes_id_is_not_that_of_many_events() -> None:
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e"),
        ("ce_time", b"2026-01-01T00:00:00Z"),
    )
    batch, _ = decode({"groups": [group("a", item(None), item(id="own"))]}, headers=headers)
    assert [(e.id, e.time) for e in batch.events] == [(None, NOW), ("own", NOW)]


def test_late_events_of_one_record_have_ids_of_their_own() -> None:
    late_by = 60_000
    items = [item(), item(NOW - late_by), item(NOW - late_by), item(NOW - 1)]
    batch, _ = decode({"groups": [group("a", *items)]})
    split = Lateness("t/0", 1_000, 86_400_000).split(batch)
    told = [json.loads(late_event(late)) for late in split.late]
    assert [event["id"] for event in told] == ["late/t/0/7/0/1", "late/t/0/7/0/2"]
    assert {event["data"]["offset"] for event in told} == {7}
    assert len(split.events) == 2


def test_a_replay_to_a_time_leaves_out_the_later_events_of_a_record() -> None:
    document = {"groups": [group("a", item(NOW), item(NOW - 20_000), item(NOW - 1))]}
    recording = Recording(
        "t", "request", [RecordedLine(0, json.dumps(document).encode())], mapping()
    )
    policy = EvaluationPolicy(LADDER, allowed_lateness_ms=1_000)
    told = replay(Catalogue.of([]), [recording], ReplayOptions(NOW, policy, status_at_ms=NOW - 1))
    assert told.tally == Tally(2, 2, 0, 0)
    told = replay(Catalogue.of([]), [recording], ReplayOptions(NOW, policy))
    assert told.tally == Tally(3, 2, 1, 0)
    assert [late.place for late in told.late] == [(0, 1)]


OTLP = load_mapping(Path("otlp-spans"))
SERVICE = {"key": "service.name", "value": {"stringValue": "shop"}}
SPAN = f'{{"kind":2,"endTimeUnixNano":{NOW * 1_000_000}}}'


@pytest.mark.parametrize(
    ("shared", "span", "bad"),
    [(0, SPAN, ""), (48_000, SPAN, ""), (0, "0", "[0]: no JSON object")],
)
def test_a_record_of_as_many_spans_as_fit_is_read_to_its_end(
    shared: int, span: str, bad: str
) -> None:
    """Also where they share so many attributes: all look for some that are not there."""
    attributes = [{"key": ""}] * shared + [SERVICE]
    around = {"resource": {"attributes": attributes}, "scopeSpans": [{"spans": ["here"]}]}
    head, tail = json.dumps({"resourceSpans": [around]}, separators=(",", ":")).split('"here"')
    count = (DecodeLimits().max_event_bytes - len(head) - len(tail)) // (len(span) + 1)
    value = f"{head}{','.join([span] * count)}{tail}".encode()
    batch, dead = decode_batch(
        [Record(0, value)],
        topic="t",
        partition=0,
        kind="request",
        now_ms=NOW,
        limits=DecodeLimits(),
        mapping=OTLP,
    )
    assert count > 10_000
    assert len(batch.events) == (count if span is SPAN else 0)
    assert list(batch.places) == [(0, 0, n) for n in range(len(batch.events))]
    assert [letter.detail.partition(".spans")[2] for letter in dead] == ([bad] if bad else [])


items_of_any_kind = st.lists(
    st.builds(item, st.sampled_from([NOW, NOW - 5, "noon", None]), st.sampled_from([1, 2]))
    | st.sampled_from([7, None, []]),
    max_size=4,
)


@given(st.lists(st.lists(st.builds(group, st.sampled_from(["a", ""]), items_of_any_kind))))
def test_batches_do_not_matter(records: list[list[Any]]) -> None:
    documents = [{"groups": [{**g, "items": g["items"]} for g in groups]} for groups in records]
    batch, dead = decode(*documents)
    alone = [decode(document) for document in documents]
    assert batch.events == [e for b, _ in alone for e in b.events]
    assert list(batch.places) == [p for b, _ in alone for p in b.places]
    assert [letter.detail for letter in dead] == [letter.detail for _, d in alone for letter in d]
    assert len(batch.events) == len(batch.values) == len(batch.offsets) == len(batch.places)


@pytest.mark.parametrize(
    "spec",
    [
        {"unroll": ["a", "a"]},
        {"unroll": ["record"]},
        {"unroll": [""]},
        {"unroll": [str(n) for n in range(9)]},
        {"select": {"path": "kind", "values": []}},
        {"select": {"path": "kind["}},
        {"select": {"path": "mine(kind)", "values": [1]}},
    ],
)
def test_a_wrong_mapping_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mapping(**spec)


def calls(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile, those in C too."""
    found = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def test_what_surrounds_the_elements_is_looked_at_once() -> None:
    """Ten times the elements in ten times the surroundings are ten times the work, not a hundred.

    A record may have tens of thousands of both.
    """
    mapped = mapping(fields={**FIELDS, "service": "attribute(groups.around, 'name')"})

    def export(size: int) -> dict[str, Any]:
        around = [*({"key": f"{n}"} for n in range(size)), {"key": "name", "value": VALUE}]
        return {"groups": [{"around": around, "items": [item(id=f"{n}") for n in range(size)]}]}

    small, large = export(30), export(300)
    decode(small, mapped=mapped)
    assert calls(lambda: decode(large, mapped=mapped)) < 12 * calls(
        lambda: decode(small, mapped=mapped)
    )
    batch, dead = decode(export(3), mapped=mapped)
    assert [(event.service, event.id) for event in batch.events] == [
        ("shop", "0"),
        ("shop", "1"),
        ("shop", "2"),
    ]
    assert not dead


def test_surroundings_of_their_own_are_looked_at_for_each() -> None:
    groups = [
        {"name": "a", "items": [item(), item()]},
        {"name": 7.5, "items": [item()]},
        {"name": [], "items": [item(), item()]},
        {"name": "b", "items": [item()]},
        {"items": [item()]},
    ]
    batch, dead = decode({"groups": groups}, {"groups": groups[::-1]})
    assert [e.service for e in batch.events] == ["a", "a", "7.5", "b", "b", "7.5", "a", "a"]
    assert [(d.offset, d.detail) for d in dead] == [
        (7, "groups[2].items[0]: service: [] is no text"),
        (8, "groups[0].items[0]: after mapping: Object missing required field `service`"),
    ]
