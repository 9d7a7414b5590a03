"""What predicates answer: operators, types, errors and how `&&` and `||` treat them."""

import pytest

from servicelevel.application.cel import compile_predicate
from servicelevel.schemas.events import ChangeEvent, Event, IncidentEvent

EVENT = Event(
    service="checkout",
    time=1_700_000_000_000,
    operation="GET /cart",
    status_code=503,
    attributes={
        "region": "eu",
        "n": 7,
        "half": 0.5,
        "yes": True,
        "none": None,
        "two words": "x",
        "smile": "😀é",
        "least": -(2**63),
    },
)

DECIDED = [
    ("", True),
    (" \n", True),
    ("true", True),
    ("status_code < 500", False),
    ("500 <= status_code && status_code < 600", True),
    ("status_code == 503.0", True),
    ("status_code == 503u", True),
    ("status_code != 0x1F7", False),
    ("status_code in [500, 503.0]", True),
    ("status_code in []", False),
    ("!(status_code in [200])", True),
    ("service == 'checkout' // a comment", True),
    ('operation == "GET \\u002Fcart"', True),
    ("operation > 'GET' && operation < 'H'", True),
    ("operation.startsWith('GET ')", True),
    ("operation.endsWith('/pay')", False),
    ("operation.contains('/c')", True),
    (r"operation.matches(r'^GET /\w+$')", True),
    ("operation.matches('c.r')", True),
    ("size(operation) == 9 && operation.size() == 9", True),
    ("size(attributes.smile) == 2", True),
    ("size([1, 2]) == 2", True),
    ("attributes.region == 'eu'", True),
    ('attributes["two words"] == "x"', True),
    ("attributes.none == null", True),
    ("attributes.region == null", False),
    ("attributes.region != null", True),
    ("attributes.none == 'eu'", False),
    ("attributes.n == 7.0", True),
    ("attributes.half < attributes.n", True),
    ("attributes.yes", True),
    ("attributes.yes == true", True),
    ("false < true", True),
    ("has(attributes.region)", True),
    ("has(attributes.none)", True),
    ('has(attributes["region"])', True),
    ("has(attributes.nowhere)", False),
    ("has(duration_ms)", False),
    ("has(operation)", True),
    ("has(duration_ms) ? duration_ms < 1.0 : status_code == 503", True),
    ("status_code > 1 ? attributes.yes : false", True),
    ("status_code / 100 == 5", True),
    ("-7 / 2 == -3", True),
    ("-7 % 2 == -1", True),
    ("7 % -2 == 1", True),
    ("2 - -3 == 5", True),
    ("- attributes.n == -7", True),
    ("attributes.half * 4.0 == 2.0", True),
    ("1.0 / 0.0 > 1e300", True),
    ("0.0 / 0.0 == 0.0 / 0.0", False),
    ("'a' + 'b' == 'ab'", True),
    ("2u + 3u == 5u", True),
    ("9223372036854775807 > 9223372036854775806.0", False),
    # an error on one side is passed over if the other side decides
    ("false && duration_ms < 1.0", False),
    ("duration_ms < 1.0 && false", False),
    ("true || duration_ms < 1.0", True),
    ("duration_ms < 1.0 || true", True),
    ("1 / 0 == 1 || true", True),
    ("attributes.n || true", True),
    ("false && attributes.n", False),
    ("duration_ms < 1.0 && attributes.nowhere == 1 && false", False),
    ("attributes.n in ['a', 7]", True),
    ("true ? true : duration_ms < 1.0", True),
]

UNDECIDED = [
    "duration_ms <= 300",
    "!(duration_ms <= 300)",
    "duration_ms in [1, 2]",
    "true && duration_ms < 1.0",
    "duration_ms < 1.0 || false",
    "duration_ms < 1.0 ? true : true",
    "attributes.nowhere == 'eu'",
    "attributes.n == 'eu'",
    "attributes.n != 'eu'",
    "attributes.yes == 1",
    "attributes.none < 1",
    "attributes.n in ['a', 8]",
    "attributes.n",
    "!attributes.n",
    "attributes.n ? true : false",
    "attributes.n && true",
    "attributes.none",
    "attributes.n + 1.0 == 8.0",
    "attributes.n + attributes.region == 1",
    "attributes.n / 0 == 1",
    "attributes.n % 0 == 1",
    "attributes.half % attributes.half == 1",
    "-attributes.least > 0",
    "-attributes.region == 'a'",
    "attributes.n + 9223372036854775807 > 0",
    "9223372036854775807 + 1 > 0",
    "1u - 2u == 1u",
    "size(attributes.n) == 1",
    "attributes.n.startsWith('7')",
    "attributes.n.matches('7')",
]


@pytest.mark.parametrize(("text", "answer"), DECIDED)
def test_decided(text: str, answer: bool) -> None:
    assert compile_predicate(text, event="request")(EVENT) is answer


@pytest.mark.parametrize("text", UNDECIDED)
def test_undecided(text: str) -> None:
    assert compile_predicate(text, event="request")(EVENT) is None


def test_event_without_attributes() -> None:
    bare = Event(service="s", time=0)
    assert compile_predicate("has(attributes.region)", event="request")(bare) is False
    assert compile_predicate("attributes.region == 'eu'", event="request")(bare) is None


def test_half_a_surrogate_pair_matches_nothing() -> None:
    odd = Event(service="s", time=0, operation="\ud800")
    assert compile_predicate("operation.matches('a')", event="request")(odd) is None


def test_fields_of_other_kinds() -> None:
    incident = IncidentEvent(service="s", time=0, incident_id="i", state="opened", severity="1")
    where = "state in ['opened', 'reopened'] && severity == '1' && !has(title)"
    assert compile_predicate(where, event="incident")(incident) is True
    change = ChangeEvent(service="s", time=5, kind="deployment", ends_at=9)
    where = "kind == 'deployment' && ends_at - time == 4"
    assert compile_predicate(where, event="change")(change) is True


def test_deep_but_allowed_nesting_is_answered() -> None:
    assert compile_predicate("!(" * 60 + "true" + ")" * 60, event="request")(EVENT) is True
    assert compile_predicate(" || ".join(["status_code == 1"] * 200), event="request")(EVENT) is (
        False
    )
