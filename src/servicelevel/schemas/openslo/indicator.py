"""OpenSLO v1 `SLI`: how events or series become a ratio or a value."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from servicelevel.schemas.openslo.common import (
    Description,
    Document,
    InlineVersion,
    Metadata,
    Name,
    NonEmpty,
    StrictModel,
    choice_of,
    exactly_one,
    lenient_only,
    problem,
)


class MetricSource(StrictModel):
    """Where a metric comes from; `spec` is read according to `type`."""

    metric_source_ref: Name | None = None
    type: NonEmpty | None = None
    spec: Annotated[dict[str, Any], Field(min_length=1)]


class Metric(StrictModel):
    """A wrapper of OpenSLO's around the source."""

    metric_source: MetricSource


class RatioMetric(StrictModel):
    """(`good` or `bad`) with `total`, or `raw`, which is a ratio already."""

    model_config = choice_of(("good", "total"), ("bad", "total"), ("raw", "rawType"))

    counter: bool = False
    good: Metric | None = None
    bad: Metric | None = None
    total: Metric | None = None
    raw: Metric | None = None
    raw_type: Literal["success", "failure"] | None = None

    @model_validator(mode="after")
    def _shape(self) -> "RatioMetric":
        exactly_one(self, "total", "raw")
        if self.total is not None:
            exactly_one(self, "good", "bad")
            if self.raw_type is not None:
                raise problem("openslo/ratio", "rawType belongs to raw: remove it", "rawType")
        else:
            for field in ("good", "bad"):
                if getattr(self, field) is not None:
                    message = f"{field} needs total, not raw: write total, or remove {field}"
                    raise problem("openslo/ratio", message, field)
            if self.raw_type is None:
                message = "raw needs rawType: write rawType: success or rawType: failure"
                raise problem("openslo/ratio", message, "raw")
        return self


class IndicatorSpec(StrictModel):
    """Exactly one of the two forms."""

    model_config = choice_of(("thresholdMetric",), ("ratioMetric",))

    description: Description = ""
    threshold_metric: Metric | None = None
    ratio_metric: RatioMetric | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "IndicatorSpec":
        exactly_one(self, "thresholdMetric", "ratioMetric")
        return self


class IndicatorDocument(Document):
    """`kind: SLI`."""

    kind: Literal["SLI"]
    spec: IndicatorSpec


class InlineIndicator(StrictModel):
    """An SLI written where it is used."""

    api_version: InlineVersion = None
    kind: Annotated[Literal["SLI"] | None, AfterValidator(lenient_only)] = None
    metadata: Metadata
    spec: IndicatorSpec
