import math

import pytest

from servicelevel.application.groups import group_field, group_reader, number_reader, value_text
from servicelevel.schemas.events import Event

EVENT = Event(
    service="a",
    time=0,
    status_code=200,
    attributes={"region": "eu", "odd": "a=b,c%d", "yes": True, "n": 1, "x": 1.0, "none": None},
)


@pytest.mark.parametrize(
    ("names", "group"),
    [
        ((), ""),
        (("region",), "region=eu"),
        (("attributes.region",), "attributes.region=eu"),
        (("status_code", "region"), "status_code=200,region=eu"),
        (("odd",), "odd=a%3Db%2Cc%25d"),
        (("nowhere", "none", "operation"), "nowhere=,none=,operation="),
        (("yes", "n", "x"), "yes=true,n=1,x=1.0"),
        (("a=b",), "a%3Db="),
    ],
)
def test_group_text(names: tuple[str, ...], group: str) -> None:
    assert group_reader(names, "request")(EVENT) == group


def test_event_without_attributes_has_the_empty_group() -> None:
    assert group_reader(("region",), "request")(Event(service="a", time=0)) == "region="


def test_a_name_means_the_event_s_field_first() -> None:
    assert group_field("severity", "incident") == "severity"
    assert group_field("severity", "request") == "attributes.severity"


def test_long_values_stay_told_apart() -> None:
    one, other = value_text("x" * 300 + "1"), value_text("x" * 300 + "2")
    assert len(one) == len(other) == 256
    assert one != other
    assert value_text("x" * 256) == "x" * 256


@pytest.mark.parametrize(("sign", "number"), [(1, math.inf), (-1, -math.inf)])
def test_an_integer_beyond_a_double_is_infinite(sign: int, number: float) -> None:
    """JSON has such integers, and msgspec reads them."""
    event = Event(service="a", time=0, attributes={"n": sign * 10**400})
    assert number_reader("n", "request")(event) == number
