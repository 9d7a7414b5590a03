"""OpenSLO v1 `AlertPolicy`, `AlertCondition` and `AlertNotificationTarget`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from servicelevel.schemas.openslo.common import (
    DelayDuration,
    Description,
    Document,
    Duration,
    InlineVersion,
    Metadata,
    Name,
    NonEmpty,
    Number,
    Operator,
    StrictModel,
    WindowDuration,
    choice_of,
    exactly_one,
    problem,
)


class BurnRateCondition(StrictModel):
    """Holds when the burn rate over the lookback window is `op threshold`."""

    kind: Literal["burnrate"]
    op: Operator
    threshold: Number
    lookback_window: WindowDuration
    alert_after: DelayDuration = Duration("0m", 0)


class ConditionSpec(StrictModel):
    """How bad it is when the condition holds."""

    description: Description = ""
    severity: NonEmpty
    condition: BurnRateCondition


class TargetSpec(StrictModel):
    """A channel, in the words of whoever delivers."""

    description: Description = ""
    target: NonEmpty


class ConditionEntry(StrictModel):
    """A condition of a policy: a reference, or the condition itself."""

    model_config = choice_of(("conditionRef",), ("kind", "metadata", "spec"))

    condition_ref: Name | None = None
    api_version: InlineVersion = None
    kind: Literal["AlertCondition"] | None = None
    metadata: Metadata | None = None
    spec: ConditionSpec | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "ConditionEntry":
        _reference_or_inline(self, "conditionRef")
        return self


class TargetEntry(StrictModel):
    """A notification target of a policy: a reference, or the target itself."""

    model_config = choice_of(("targetRef",), ("kind", "metadata", "spec"))

    target_ref: Name | None = None
    api_version: InlineVersion = None
    kind: Literal["AlertNotificationTarget"] | None = None
    metadata: Metadata | None = None
    spec: TargetSpec | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "TargetEntry":
        _reference_or_inline(self, "targetRef")
        return self


class PolicySpec(StrictModel):
    """One condition and who is told."""

    description: Description = ""
    alert_when_no_data: bool = False
    alert_when_resolved: bool = False
    alert_when_breaching: bool = False
    conditions: Annotated[list[ConditionEntry], Field(min_length=1, max_length=1)]
    notification_targets: Annotated[list[TargetEntry], Field(min_length=1)]


class PolicyEntry(StrictModel):
    """An alert policy of an SLO: a reference, or the policy itself."""

    model_config = choice_of(("alertPolicyRef",), ("kind", "metadata", "spec"))

    alert_policy_ref: Name | None = None
    api_version: InlineVersion = None
    kind: Literal["AlertPolicy"] | None = None
    metadata: Metadata | None = None
    spec: PolicySpec | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "PolicyEntry":
        _reference_or_inline(self, "alertPolicyRef")
        return self


class PolicyDocument(Document):
    """`kind: AlertPolicy`."""

    kind: Literal["AlertPolicy"]
    spec: PolicySpec


class ConditionDocument(Document):
    """`kind: AlertCondition`."""

    kind: Literal["AlertCondition"]
    spec: ConditionSpec


class TargetDocument(Document):
    """`kind: AlertNotificationTarget`."""

    kind: Literal["AlertNotificationTarget"]
    spec: TargetSpec


def _reference_or_inline(entry: ConditionEntry | TargetEntry | PolicyEntry, reference: str) -> None:
    exactly_one(entry, reference, "spec")
    inline = {"kind": entry.kind, "metadata": entry.metadata}
    for field, value in inline.items():
        if entry.spec is None and value is not None:
            message = f"{field} does not go with {reference}: remove it"
            raise problem("openslo/one-of", message, field)
        if entry.spec is not None and value is None:
            raise problem("openslo/required", f"{field} is required beside spec: add it", "spec")
