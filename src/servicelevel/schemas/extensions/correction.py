"""`kind: Correction`: a span of time that does not count as it was measured."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from servicelevel.schemas.extensions.common import ExtensionDocument, Instant
from servicelevel.schemas.openslo.common import (
    Name,
    NonEmpty,
    StrictModel,
    WindowDuration,
    exactly_one,
    problem,
)

MAX_NAMES = 1_000


def _unique(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise problem("servicelevel/correction", "names one twice: remove one of them")
    return value


class CorrectionSpec(StrictModel):
    """Which span, of which SLOs, and who says so."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"anyOf": [{"required": ["services"]}, {"required": ["slos"]}]},
                {"oneOf": [{"required": ["to"]}, {"required": ["duration"]}]},
            ]
        }
    )

    services: Annotated[list[NonEmpty], Field(max_length=MAX_NAMES), AfterValidator(_unique)] = (
        Field(default_factory=list)
    )
    slos: Annotated[list[Name], Field(max_length=MAX_NAMES), AfterValidator(_unique)] = Field(
        default_factory=list
    )
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant | None = None
    duration: WindowDuration | None = None
    effect: Literal["remove", "good"]
    by: NonEmpty
    reason: Annotated[str, Field(min_length=1, max_length=1050)]
    recorded_at: Instant | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "CorrectionSpec":
        if not self.services and not self.slos:
            message = "a correction names services, slos, or both: write services: [checkout]"
            raise problem("servicelevel/correction", message)
        exactly_one(self, "to", "duration")
        if self.to_ms <= self.from_.ms:
            message = "must be after from: write a later time, or duration: 1h"
            raise problem("servicelevel/correction", message, "to")
        return self

    @property
    def to_ms(self) -> int:
        """Where the span ends, in epoch ms."""
        if self.to is not None:
            return self.to.ms
        return self.from_.ms + (self.duration.ms if self.duration is not None else 0)


class CorrectionDocument(ExtensionDocument):
    """`kind: Correction`."""

    kind: Literal["Correction"]
    spec: CorrectionSpec
