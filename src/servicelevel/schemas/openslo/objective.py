"""OpenSLO v1 `SLO`: targets for one indicator, or for several in a composite."""

import re
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core.core_schema import ValidationInfo

from servicelevel.schemas.openslo.alerting import PolicyEntry
from servicelevel.schemas.openslo.common import (
    DelayDuration,
    Description,
    Document,
    Name,
    NonEmpty,
    Number,
    Operator,
    StrictModel,
    WindowDuration,
    choice_of,
    exactly_one,
    is_lenient,
    pattern_of,
    problem,
)
from servicelevel.schemas.openslo.indicator import InlineIndicator

BudgetingMethod = Literal["Occurrences", "Timeslices", "RatioTimeslices"]

_START_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    """The names in the data that ships with the package, the same on every machine."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


def _start_time(value: str) -> str:
    try:
        if not _START_TIME.fullmatch(value):
            raise ValueError(value)
        datetime.strptime(value, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - its zone is another field
    except ValueError:
        raise problem(
            "openslo/start-time",
            "must be YYYY-MM-DD HH:MM:SS: write for example 2026-01-01 00:00:00",
        ) from None
    return value


def _time_zone(value: str) -> str:
    if value not in _time_zones():
        raise problem(
            "openslo/time-zone", "is no IANA time zone: write for example Europe/Berlin or UTC"
        )
    return value


def _slice_window(value: Any, info: ValidationInfo) -> Any:
    """A bare number means minutes; OpenSLO's SDK does not read it."""
    if is_lenient(info) and isinstance(value, int) and not isinstance(value, bool):
        return f"{value}m"
    return value


def _within(**bounds: float) -> Any:
    """What a JSON Schema says of a number's range."""
    return Field(json_schema_extra={**bounds})


class Calendar(StrictModel):
    """When a calendar window begins."""

    start_time: Annotated[str, AfterValidator(_start_time), pattern_of(_START_TIME)]
    time_zone: Annotated[str, AfterValidator(_time_zone)]


class TimeWindow(StrictModel):
    """Rolling, or aligned with the calendar."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"isRolling": {"const": True}}, "required": ["isRolling"]},
            "then": {"not": {"required": ["calendar"]}},
            "else": {"required": ["calendar"]},
        }
    )

    duration: WindowDuration
    is_rolling: bool = False
    calendar: Calendar | None = None

    @model_validator(mode="after")
    def _shape(self) -> "TimeWindow":
        if self.is_rolling and self.calendar is not None:
            message = "a rolling window has no calendar: remove it, or write isRolling: false"
            raise problem("openslo/time-window", message, "calendar")
        if not self.is_rolling and self.calendar is None:
            message = (
                "a window that is not rolling needs calendar: add it, or write isRolling: true"
            )
            raise problem("openslo/time-window", message)
        return self


class ObjectiveSpec(StrictModel):
    """One target; with a threshold metric also what a good value is."""

    model_config = choice_of(("target",), ("targetPercent",))

    display_name: str = ""
    op: Operator | None = None
    value: Number | None = None
    target: Annotated[Number | None, _within(minimum=0, exclusiveMaximum=1)] = None
    target_percent: Annotated[Number | None, _within(minimum=0, exclusiveMaximum=100)] = None
    time_slice_target: Number | None = None
    time_slice_window: Annotated[DelayDuration | None, BeforeValidator(_slice_window)] = None
    indicator: InlineIndicator | None = None
    indicator_ref: Name | None = None
    composite_weight: Annotated[Number | None, _within(exclusiveMinimum=0)] = None

    @model_validator(mode="after")
    def _ranges(self) -> "ObjectiveSpec":
        exactly_one(self, "target", "targetPercent")
        if self.target is not None and not 0 <= self.target < 1:
            message = (
                "must be at least 0 and below 1 (a target of 1 leaves no error budget): "
                "write for example 0.999, or targetPercent: 99.9"
            )
            raise problem("openslo/target", message, "target")
        if self.target_percent is not None and not 0 <= self.target_percent < 100:
            message = "must be at least 0 and below 100: write for example 99.9"
            raise problem("openslo/target", message, "targetPercent")
        if self.composite_weight is not None and self.composite_weight <= 0:
            message = "must be above 0: write for example 1"
            raise problem("openslo/composite", message, "compositeWeight")
        return self

    def slice_problem(self, field: str) -> str:
        """What is wrong with `timeSliceTarget` or `timeSliceWindow` where slices are counted."""
        if field == "timeSliceTarget":
            if self.time_slice_target is None:
                return "is missing: write for example 0.95"
            if not 0 < self.time_slice_target <= 1:
                return "must be above 0 and at most 1: write for example 0.95"
        elif self.time_slice_window is None:
            return "is missing: write for example 5m"
        elif self.time_slice_window.ms == 0:
            return "must be longer than zero: write for example 5m"
        return ""

    @property
    def has_indicator(self) -> bool:
        """Whether it brings an indicator of its own, as in a composite."""
        return self.indicator is not None or self.indicator_ref is not None


class SloSpec(StrictModel):
    """What is promised, over which window, and who hears of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"required": ["timeWindow"], "properties": {"timeWindow": {"minItems": 1}}},
                {"not": {"required": ["indicator", "indicatorRef"]}},
            ]
        }
    )

    description: Description = ""
    service: NonEmpty
    indicator: InlineIndicator | None = None
    indicator_ref: Name | None = None
    budgeting_method: BudgetingMethod
    time_window: Annotated[list[TimeWindow], Field(max_length=1)] = Field(default_factory=list)
    objectives: Annotated[list[ObjectiveSpec], Field(min_length=1)]
    alert_policies: list[PolicyEntry] = Field(default_factory=list)

    @property
    def is_composite(self) -> bool:
        """Whether the indicators are those of the objectives."""
        return any(o.has_indicator for o in self.objectives)

    @model_validator(mode="after")
    def _shape(self, info: ValidationInfo) -> "SloSpec":
        if not self.time_window and not is_lenient(info):
            message = "timeWindow is required: write timeWindow: [{duration: 30d, isRolling: true}]"
            raise problem("openslo/time-window", message)
        self._check_indicators()
        self._check_slices()
        return self

    def _check_indicators(self) -> None:
        if not self.is_composite:
            exactly_one(self, "indicator", "indicatorRef")
            return
        if self.indicator is not None or self.indicator_ref is not None:
            message = "an indicator stands here or in each of the objectives, not in both"
            raise problem("openslo/composite", message, "objectives")
        for objective in self.objectives:
            exactly_one(objective, "indicator", "indicatorRef")

    def _check_slices(self) -> None:
        if self.budgeting_method == "Occurrences":
            return
        fields = ["timeSliceWindow"]
        if self.budgeting_method == "Timeslices":
            fields.insert(0, "timeSliceTarget")
        for number, objective in enumerate(self.objectives, 1):
            for field in fields:
                wrong = objective.slice_problem(field)
                if wrong:
                    message = f"{self.budgeting_method}: {field} of objective {number} {wrong}"
                    raise problem("openslo/time-slice", message, "objectives")


class SloDocument(Document):
    """`kind: SLO`."""

    kind: Literal["SLO"]
    spec: SloSpec
