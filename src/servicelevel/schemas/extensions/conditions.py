"""Conditions of our own alert policies: burn rates, budgets, pace, silence, and several of them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from servicelevel.schemas.openslo.common import (
    Duration,
    Number,
    PaneDuration,
    StrictModel,
    choice_of,
    exactly_one,
    problem,
    within,
)

MAX_PARTS = 8
MAX_WINDOWS = 4
MAX_SPENT = 10
MAX_CONFIDENCE = Decimal("0.999999")


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _different(value: list[Duration]) -> list[Duration]:
    if len({each.ms for each in value}) != len(value):
        raise problem("servicelevel/windows", "names a window twice: remove one", "over")
    return value


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise problem("servicelevel/above", "must be above 0: write for example 14.4")
    return value


def _share(value: Decimal) -> Decimal:
    if not 0 < value <= MAX_SPENT:
        message = f"must be a share above 0 and at most {MAX_SPENT} (1 is all): write 0.75 for 75 %"
        raise problem("servicelevel/above", message)
    return value


def _confidence(value: Decimal) -> Decimal:
    if not 0 < value <= MAX_CONFIDENCE:
        message = f"must be above 0 and at most {MAX_CONFIDENCE}: write for example 0.95"
        raise problem("servicelevel/confidence", message)
    return value


Windows = Annotated[
    list[PaneDuration],
    BeforeValidator(_as_list, json_schema_input_type=PaneDuration | list[PaneDuration]),
    Field(min_length=1, max_length=MAX_WINDOWS),
    AfterValidator(_different),
]


class BurnRateLeaf(StrictModel):
    """The burn rates over all these windows are greater than `above`."""

    over: Windows
    above: Annotated[Number, AfterValidator(_positive), within(exclusiveMinimum=0)]
    weighted: bool = False


class BudgetSpentLeaf(StrictModel):
    """More than this share of the window's error budget is spent."""

    above: Annotated[Number, AfterValidator(_share), within(exclusiveMinimum=0, maximum=MAX_SPENT)]


class ExhaustionLeaf(StrictModel):
    """At the pace of the window `over`, the budget is spent `within` this time."""

    within: PaneDuration
    over: PaneDuration
    confidence: Annotated[
        Number, AfterValidator(_confidence), within(exclusiveMinimum=0, exclusiveMaximum=1)
    ] = Decimal("0.95")


class NoDataLeaf(StrictModel):
    """No event came for this long."""

    for_: Annotated[PaneDuration, Field(alias="for")]


class ConditionTree(StrictModel):
    """One condition, or several of which all, or any, hold."""

    model_config = choice_of(
        ("burnRate",), ("budgetSpent",), ("exhaustion",), ("noData",), ("all",), ("any",)
    )

    burn_rate: BurnRateLeaf | None = None
    budget_spent: BudgetSpentLeaf | None = None
    exhaustion: ExhaustionLeaf | None = None
    no_data: NoDataLeaf | None = None
    all: Annotated[list["ConditionTree"], Field(min_length=1, max_length=MAX_PARTS)] | None = None
    any: Annotated[list["ConditionTree"], Field(min_length=1, max_length=MAX_PARTS)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "ConditionTree":
        exactly_one(self, "burnRate", "budgetSpent", "exhaustion", "noData", "all", "any")
        return self

    @property
    def parts(self) -> list["ConditionTree"]:
        """Those of a composition; empty if it is none."""
        return self.all or self.any or []

    def leaves(self) -> Iterator["ConditionTree"]:
        """All conditions within it that are no composition."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def levels(self) -> int:
        """How deep it is: 1 without compositions."""
        return 1 + max((part.levels() for part in self.parts), default=0)
