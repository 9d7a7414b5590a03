"""What differs between two sets of definitions, and that all who use them see the change."""

from dataclasses import replace
from fractions import Fraction

from servicelevel.application.definitions import Definitions, Difference
from servicelevel.domain.model import ANY_SERVICE, Catalogue, Indicator, Objective, Slo
from servicelevel.domain.partitioning import counts_partition

PARTITIONS = 4


def indicator(service: str, name: str = "") -> Indicator:
    return Indicator(f"{service}{name}", "request", service, "", "status_code < 500")


def slo(name: str, counted: Indicator | None = None, service: str | None = None) -> Slo:
    objective = Objective("main", counted or indicator(name), Fraction(9, 10), ())
    return Slo(name, service or name, 3_600_000, (objective,), "d")


def definitions(*slos: Slo) -> Definitions:
    return Definitions(Catalogue.of(slos), PARTITIONS)


def test_an_equal_set_is_no_change() -> None:
    ours = definitions(slo("a"), slo("b"))
    before = ours.catalogue
    assert ours.change_to(definitions(slo("b"), slo("a"))) is None
    assert ours.catalogue is before


def test_added_removed_and_changed_are_told_apart() -> None:
    ours = definitions(slo("kept"), slo("gone"), slo("stricter"), slo("counted-otherwise"))
    stricter = slo("stricter")
    stricter = replace(
        stricter, objectives=(replace(stricter.objectives[0], target=Fraction(99, 100)),)
    )
    otherwise = slo("counted-otherwise", indicator("counted-otherwise", "2"))
    wanted = definitions(slo("kept"), slo("came"), stricter, otherwise)

    found = ours.change_to(wanted)

    assert found == Difference(
        added=("came",),
        removed=("gone",),
        changed=("counted-otherwise", "stricter"),
        new=("came/main", "counted-otherwise/main"),
        moved=(),
    )
    assert ours.catalogue == wanted.catalogue


def test_the_plan_is_the_same_object_with_the_new_content() -> None:
    ours = definitions(slo("a"))
    plan = ours.plan
    ours.change_to(definitions(slo("a"), slo("b")))
    assert ours.plan is plan
    assert set(plan.services("request")) == {"a", "b"}


def test_an_indicator_that_goes_to_another_partition_is_named() -> None:
    """Its home is the first service of those that share it."""
    shared = indicator(ANY_SERVICE)
    late = next(s for s in "zyxw" if counts_partition(s, 4) != counts_partition("a", 4))
    ours = definitions(slo("one", shared, service=late))
    found = ours.change_to(
        definitions(slo("one", shared, service=late), slo("two", shared, service="a"))
    )
    assert found is not None
    assert (found.added, found.new) == (("two",), ())
    assert found.moved == ("one/main", "two/main")
