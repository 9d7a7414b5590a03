"""Our own `AlertPolicy`: rules whose conditions look at burn rates, budgets, pace and silence."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from servicelevel.schemas.extensions.common import ExtensionDocument
from servicelevel.schemas.extensions.conditions import ConditionTree
from servicelevel.schemas.openslo.common import (
    Description,
    Duration,
    Name,
    Number,
    PaneDelay,
    StrictModel,
    problem,
    within,
)

MAX_RULES = 32
MAX_LEVELS = 4
MAX_LEAVES = 16
MAX_EVENTS = 10**12

Loudness = Literal["page", "ticket", "info"]
_LOUDEST_FIRST: tuple[Loudness, ...] = ("page", "ticket", "info")


def _ratio(value: Decimal) -> Decimal:
    if not 0 < value <= 1:
        raise problem(
            "servicelevel/resolve", "must be above 0 and at most 1: write for example 0.8"
        )
    return value


def _events(value: int) -> int:
    if not 1 <= value <= MAX_EVENTS:
        raise problem("servicelevel/low-traffic", "must be at least 1: write for example 100")
    return value


Events = Annotated[int, AfterValidator(_events), within(minimum=1)]


class Resolve(StrictModel):
    """When a rule that holds is over: below a share of its burn rates, and for how long."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    ratio: Annotated[Number, AfterValidator(_ratio), within(exclusiveMinimum=0, maximum=1)] = (
        Decimal(1)
    )
    after: PaneDelay = Duration("0m", 0)

    @model_validator(mode="after")
    def _says_something(self) -> "Resolve":
        if not self.model_fields_set:
            raise problem("servicelevel/resolve", "write ratio, after, or both: ratio: 0.8")
        return self


class LowTraffic(StrictModel):
    """What becomes of a rule while its longest window has few events, or few failures."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["minEvents"]}, {"required": ["minFailures"]}]}
    )

    min_events: Events | None = None
    min_failures: Events | None = None
    severity: Loudness | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "LowTraffic":
        if self.min_events is None and self.min_failures is None:
            message = "lowTraffic needs minEvents, minFailures, or both: write minEvents: 100"
            raise problem("servicelevel/low-traffic", message)
        return self


class RuleSpec(StrictModel):
    """A condition, and how loud it is."""

    name: Name | None = None
    severity: Loudness
    when: ConditionTree
    alert_after: PaneDelay = Duration("0m", 0)
    resolve: Resolve | None = None
    low_traffic: LowTraffic | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "RuleSpec":
        if self.when.levels() > MAX_LEVELS:
            message = f"is nested deeper than {MAX_LEVELS} levels: write it flatter"
            raise problem("servicelevel/condition", message, "when")
        leaves = list(self.when.leaves())
        if len(leaves) > MAX_LEAVES:
            message = f"is made of more than {MAX_LEAVES} conditions: write several rules"
            raise problem("servicelevel/condition", message, "when")
        burns = any(leaf.burn_rate for leaf in leaves)
        if self.resolve is not None and self.resolve.ratio != 1 and not burns:
            message = "ratio multiplies burn rates, and there are none here: write after alone"
            raise problem("servicelevel/resolve", message, "resolve")
        self._check_low_traffic(burns or any(leaf.exhaustion for leaf in leaves))
        return self

    def _check_low_traffic(self, has_window: bool) -> None:
        low = self.low_traffic
        if low is None:
            return
        if not has_window:
            message = "lowTraffic looks at the windows of burnRate or exhaustion: remove it"
            raise problem("servicelevel/low-traffic", message, "lowTraffic")
        rank = _LOUDEST_FIRST.index
        if low.severity is not None and rank(low.severity) <= rank(self.severity):
            message = f"lowTraffic makes a rule quieter than {self.severity}: write a quieter one"
            raise problem("servicelevel/low-traffic", message, "lowTraffic")


def _unique_names(value: list[RuleSpec]) -> list[RuleSpec]:
    names = [rule.name for rule in value if rule.name is not None]
    if len(set(names)) != len(names):
        raise problem("servicelevel/rule-name", "names two rules alike: rename one")
    return value


class RulePolicySpec(StrictModel):
    """Rules of which each may warn."""

    description: Description = ""
    rules: Annotated[
        list[RuleSpec], Field(min_length=1, max_length=MAX_RULES), AfterValidator(_unique_names)
    ]


class RulePolicyDocument(ExtensionDocument):
    """`kind: AlertPolicy` of `servicelevel/v1`."""

    kind: Literal["AlertPolicy"]
    spec: RulePolicySpec
