"""What tests ask of loaded definitions."""

from fractions import Fraction
from typing import Any

from servicelevel.adapters.files.definitions import Finding, Loaded
from servicelevel.domain.rules import All, BurnRate, Rule


def only(loaded: Loaded) -> Any:
    assert loaded.findings == []
    assert loaded.unsupported == []
    (found,) = loaded.catalogue.slos.values()
    return found


def factor(rule: Rule) -> Fraction:
    """Of a rule over two windows."""
    assert isinstance(rule.condition, All)
    (of_long, of_short) = rule.condition.parts
    assert isinstance(of_long, BurnRate)
    assert isinstance(of_short, BurnRate)
    assert of_long.factor == of_short.factor
    return of_long.factor


def rules_of(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]
