"""Rules of our own alert policies: conditions, and how a rule begins and ends."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from servicelevel.domain.severity import Severity
from servicelevel.schemas.openslo.common import (
    DelayDuration,
    Description,
    Number,
    StrictModel,
    WindowDuration,
    choice_of,
    exactly_one,
    problem,
)

MAX_RULES = 50
MAX_PARTS = 10
MAX_DEPTH = 5
MAX_CONDITIONS = 50
"""Of one rule: each is judged whenever a pane ends."""
MAX_WINDOWS = 4
CONFIDENCES = tuple(map(Decimal, ("0.8", "0.9", "0.95", "0.99")))
CONDITIONS = ("burnRate", "budgetSpent", "exhaustion", "noData", "all", "any")


_SHARE: dict[str, Any] = {"exclusiveMinimum": 0, "maximum": 1}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class BurnRateSpec(StrictModel):
    """The burn rate over each of these windows is above the factor."""

    over: Annotated[
        list[WindowDuration],
        Field(min_length=1, max_length=MAX_WINDOWS),
        BeforeValidator(
            _listed,
            json_schema_input_type=WindowDuration
            | Annotated[list[WindowDuration], Field(min_length=1, max_length=MAX_WINDOWS)],
        ),
    ]
    above: Annotated[Number, Field(json_schema_extra={"minimum": 0})]
    weighted: bool = False

    @model_validator(mode="after")
    def _sensible(self) -> "BurnRateSpec":
        if self.above < 0:
            raise problem("servicelevel/rule", "must be at least 0", "above")
        return self


class BudgetSpentSpec(StrictModel):
    """More than this share of the error budget is spent."""

    above: Annotated[Number, Field(json_schema_extra=_SHARE)]

    @model_validator(mode="after")
    def _sensible(self) -> "BudgetSpentSpec":
        if not 0 < self.above <= 1:
            raise problem("servicelevel/rule", "must be above 0 and at most 1", "above")
        return self


def _confidence(value: Decimal) -> Decimal:
    if value not in CONFIDENCES:
        message = f"must be one of {', '.join(map(str, CONFIDENCES))}: write for example 0.95"
        raise problem("servicelevel/rule", message)
    return value


class ExhaustionSpec(StrictModel):
    """At the pace over a window, the budget is spent within a time, to this confidence."""

    within: WindowDuration
    over: WindowDuration
    confidence: Annotated[
        Number,
        AfterValidator(_confidence),
        Field(json_schema_extra={"enum": [float(each) for each in CONFIDENCES]}),
    ] = Decimal("0.95")


class NoDataSpec(StrictModel):
    """No event came for so long."""

    for_: Annotated[WindowDuration, Field(alias="for")]


class RuleConditionSpec(StrictModel):
    """Exactly one of these."""

    model_config = choice_of(*((name,) for name in CONDITIONS))

    burn_rate: BurnRateSpec | None = None
    budget_spent: BudgetSpentSpec | None = None
    exhaustion: ExhaustionSpec | None = None
    no_data: NoDataSpec | None = None
    all: Annotated[list["RuleConditionSpec"], Field(min_length=1, max_length=MAX_PARTS)] | None = (
        None
    )
    any: Annotated[list["RuleConditionSpec"], Field(min_length=1, max_length=MAX_PARTS)] | None = (
        None
    )

    @model_validator(mode="after")
    def _one(self) -> "RuleConditionSpec":
        exactly_one(self, *CONDITIONS)
        if self.depth > MAX_DEPTH:
            message = f"is nested more than {MAX_DEPTH} deep: write several rules"
            raise problem("servicelevel/rule", message)
        return self

    @property
    def parts(self) -> "list[RuleConditionSpec]":
        """What it is composed of."""
        return [*(self.all or ()), *(self.any or ())]

    @property
    def size(self) -> int:
        """How many conditions it has, itself included."""
        return 1 + sum(part.size for part in self.parts)

    @property
    def depth(self) -> int:
        """How deep conditions are nested in it; 1 without."""
        return 1 + max((part.depth for part in self.parts), default=0)


class ResolveSpec(StrictModel):
    """When a rule that held no longer does."""

    ratio: Annotated[Number | None, Field(json_schema_extra=_SHARE)] = None
    after: DelayDuration | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "ResolveSpec":
        if self.ratio is not None and not 0 < self.ratio <= 1:
            message = "must be above 0 and at most 1: write for example 0.8"
            raise problem("servicelevel/rule", message, "ratio")
        return self


class LowTrafficSpec(StrictModel):
    """What becomes of a rule with few events; without a severity it does not hold then."""

    min_events: Annotated[int, Field(ge=0)] = 0
    min_failures: Annotated[int, Field(ge=0)] = 0
    severity: Severity | None = Field(None, strict=False)

    @model_validator(mode="after")
    def _sensible(self) -> "LowTrafficSpec":
        if not self.min_events and not self.min_failures:
            message = "says from how many events on a rule holds: write minEvents or minFailures"
            raise problem("servicelevel/rule", message)
        return self


def _rule_name(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        message = "must be one line without spaces around it: write for example fast burn"
        raise problem("servicelevel/rule", message)
    return value


class RuleSpec(StrictModel):
    """A condition, how loud it is, and how it begins and ends."""

    name: Annotated[str, Field(min_length=1, max_length=63), AfterValidator(_rule_name)] | None = (
        None
    )
    severity: Severity = Field(strict=False)
    when: RuleConditionSpec
    alert_after: DelayDuration | None = None
    resolve: ResolveSpec = ResolveSpec()
    low_traffic: LowTrafficSpec | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "RuleSpec":
        if self.when.size > MAX_CONDITIONS:
            message = f"has more than {MAX_CONDITIONS} conditions: write several rules"
            raise problem("servicelevel/rule", message, "when")
        return self


class RulesSpec(StrictModel):
    """Rules of which the loudest that holds is told."""

    description: Description = ""
    rules: Annotated[list[RuleSpec], Field(min_length=1, max_length=MAX_RULES)]

    @model_validator(mode="after")
    def _names_differ(self) -> "RulesSpec":
        taken: set[str] = set()
        for rule in self.rules:
            if rule.name in taken:
                message = f"two rules have the name {rule.name}: rename one of them"
                raise problem("servicelevel/rule", message, "rules")
            if rule.name is not None:
                taken.add(rule.name)
        return self
