"""Events of one signature get one answer; and signatures are as coarse as can be."""

import math
from itertools import product

import pytest

from servicelevel.application.cel import compile_predicate
from servicelevel.application.signature import Sight, columns, signatures
from servicelevel.schemas.events import Event

EDGES = [0.0, -0.0, 99.5, 100.0]
AROUND = [x for e in EDGES for x in (math.nextafter(e, -1.0), e, math.nextafter(e, 1e9)) if x >= 0]
OPERATIONS = [None, "", "get", "put", "gets"]
ATTRIBUTES = [
    None,
    {},
    *({"x": value} for value in ("eu", "1", 1, 1.0, True, False, 0, 0.0, -0.0, None, 2, 5)),
]
EVENTS = [
    *(
        Event(service="s", time=0, status_code=status, operation=operation)
        for status, operation in product([None, 199, 200, 201, 499, 500, 501, 503], OPERATIONS)
    ),
    *(Event(service="s", time=0, duration_ms=duration) for duration in [None, *AROUND]),
    *(Event(service="s", time=0, attributes=attributes) for attributes in ATTRIBUTES),
]
COMPARED = ["<", "<=", ">", ">=", "==", "!="]
TEXTS = [
    *map("status_code {} 500".format, COMPARED),
    *map("500.0 {} status_code".format, COMPARED),
    *map("status_code {} 499.5".format, COMPARED),
    *map("duration_ms {} 100".format, COMPARED),
    *map("99.5 {} duration_ms".format, COMPARED),
    *map("duration_ms {} 0".format, COMPARED),
    *map("duration_ms {} -0.0".format, COMPARED),
    *map("attributes.x {} 1".format, COMPARED),
    *map("attributes.x {} 'eu'".format, COMPARED),
    *map("operation {} 'get'".format, COMPARED),
    "status_code in [200, 499.5, 503u]",
    "status_code / 100 == 2",
    "operation in ['put', '']",
    "operation in []",
    "has(operation)",
    "has(status_code)",
    "has(duration_ms)",
    "has(attributes.x)",
    "attributes.x",
    "attributes.x == null",
    "attributes.x / 2 == 0",
    "1.0 / attributes.x > 0.0",
    "1.0 / duration_ms > 0.0",
    "operation.startsWith('get')",
    "!(has(status_code) && status_code < 500)",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_one_signature_one_answer(text: str) -> None:
    predicate = compile_predicate(text, event="request")
    answers: dict[object, bool | None] = {}
    for row, event in zip(
        signatures(columns("request", Sight.of([predicate])), EVENTS), EVENTS, strict=True
    ):
        answer = predicate(event)
        assert answers.setdefault(row, answer) is answer


def test_together_as_alone() -> None:
    predicates = [compile_predicate(text, event="request") for text in TEXTS]
    coarse = [p for p in predicates if not p.fields]
    for chosen in (predicates, coarse):
        answers: dict[object, list[bool | None]] = {}
        rows = signatures(columns("request", Sight.of(chosen)), EVENTS)
        for row, event in zip(rows, EVENTS, strict=True):
            found = [predicate(event) for predicate in chosen]
            assert answers.setdefault(row, found) == found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("status_code < 500", 3),
        ("status_code >= 500 && status_code < 500.0", 3),
        ("status_code == 500", 4),
        ("duration_ms <= 99.7", 3),
        ("has(duration_ms)", 2),
        ("operation in ['get', 'put']", 4),
        ("has(operation)", 3),
    ],
)
def test_only_what_can_be_seen_is_told_apart(text: str, count: int) -> None:
    predicate = compile_predicate(text, event="request")
    assert len(set(signatures(columns("request", Sight.of([predicate])), EVENTS))) <= count


def test_raw_fields_asked_for_are_told_apart() -> None:
    found = columns("request", Sight.of([], ["operation", "attributes.x"]))
    assert len(set(signatures(found, EVENTS))) == len(OPERATIONS) + len(ATTRIBUTES) - 2


def test_more_statuses_than_are_remembered() -> None:
    predicate = compile_predicate("status_code >= 500", event="request")
    found = columns("request", Sight.of([predicate]))
    events = [Event(service="s", time=0, status_code=status) for status in range(-2_000, 2_000)]
    for _ in range(2):
        (failed,) = signatures(found, events[-1:])
        assert [row == failed for row in signatures(found, events)] == [
            predicate(event) for event in events
        ]
