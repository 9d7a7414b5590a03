"""Composites: the weighted mean of an SLO's objectives."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from servicelevel.adapters.files.definitions import Loaded
from tests.builders.definitions import only, policy, ratio, rules_of, slo, source

Load = Callable[..., Loaded]


def part(name: str, target: float, weight: float | None = None) -> dict[str, Any]:
    indicator = ratio(good=source(where=f"operation == '{name}'"))
    found: dict[str, Any] = {"displayName": name, "target": target, "indicator": indicator}
    return found | ({} if weight is None else {"compositeWeight": weight})


def composite(*parts: dict[str, Any], **spec: Any) -> dict[str, Any]:
    document = slo(objectives=list(parts), **spec)
    del document["spec"]["indicator"]
    return document


def test_a_composite_is_the_weighted_mean_of_its_objectives(load: Load) -> None:
    found = only(load(composite(part("pay", 0.999, 3), part("browse", 0.99))))
    assert found.composite is not None
    assert found.composite.name == "composite"
    assert found.composite.weights == (3, 1)
    assert found.composite.target == Fraction("0.99675")
    assert [objective.rules for objective in found.objectives] == [(), ()]
    assert [rule.name for rule in found.composite.rules][:1] == ["1h/5m"]


def test_the_rules_of_a_composite_are_judged_by_its_target(load: Load) -> None:
    found = only(load(composite(part("pay", 0.99), part("browse", 0.9), alertPolicies=[policy()])))
    assert found.composite is not None
    assert len(found.composite.rules) == 1
    loaded = load(composite(part("pay", 0.9), part("browse", 0.9), alertPolicies=[policy()]))
    assert rules_of(loaded.findings) == ["servicelevel/never-fires"]


def test_weights_and_their_sum_are_part_of_the_definition(load: Load) -> None:
    digests = {
        only(load(composite(part("pay", 0.999, weight), part("browse", 0.99)))).digest
        for weight in (None, 1, 2)
    }
    assert len(digests) == 2  # 1 is what is meant without


def test_the_parts_of_a_composite_have_the_same_groups(load: Load) -> None:
    grouped = part("pay", 0.999)
    both = {"event": "request", "groupBy": ["operation"]}
    grouped["indicator"] = ratio(good=source(**both), total=source(**both))
    loaded = load(composite(grouped, part("browse", 0.99)))
    assert loaded.is_valid
    assert rules_of(loaded.unsupported) == ["unsupported/composite"]


def test_no_part_of_a_composite_has_its_name(load: Load) -> None:
    found = only(load(composite(part("Composite", 0.999), part("browse", 0.99))))
    assert [objective.name for objective in found.objectives] == ["composite-1", "browse"]
    alone = only(load(slo(objectives=[{"displayName": "Composite", "target": 0.99}])))
    assert [objective.name for objective in alone.objectives] == ["composite"]
