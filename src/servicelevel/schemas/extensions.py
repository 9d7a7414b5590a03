"""Our own kinds, `apiVersion: servicelevel/v1`: what OpenSLO has no word for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from servicelevel.domain.time import SECOND_MS
from servicelevel.schemas.moments import rfc3339_moment
from servicelevel.schemas.openslo.common import (
    Metadata,
    Name,
    NonEmpty,
    StrictModel,
    problem,
)
from servicelevel.schemas.rule_specs import RulesSpec

EXTENSION_VERSION = "servicelevel/v1"
MAX_MOMENT_MS = 32_503_680_000_000  # 3000-01-01T00:00:00Z


def _moment(value: str) -> str:
    try:
        moment_ms = rfc3339_moment(value)
    except ValueError:
        message = "must be an RFC 3339 time: write for example 2026-01-31T22:00:00Z"
        raise problem("servicelevel/time", message) from None
    if not 0 <= moment_ms < MAX_MOMENT_MS:
        raise problem("servicelevel/time", "must be a time from 1970 to 2999: check the year")
    return value


Moment = Annotated[str, AfterValidator(_moment)]


class CorrectionSpec(StrictModel):
    """A time that does not count as it was measured, for whom, and why."""

    services: Annotated[list[NonEmpty], Field(max_length=1_000)] = Field(default_factory=list)
    slos: Annotated[list[Name], Field(max_length=1_000)] = Field(default_factory=list)
    from_: Annotated[Moment, Field(alias="from")]
    to: Moment
    effect: Literal["remove", "good"]
    by: NonEmpty
    reason: NonEmpty
    recorded_at: Moment | None = None

    @model_validator(mode="after")
    def _sensible(self) -> "CorrectionSpec":
        if not self.services and not self.slos:
            message = "name the services or slos that it is for"
            raise problem("servicelevel/correction", message, "services")
        if self.to_ms - self.from_ms < SECOND_MS:
            raise problem("servicelevel/correction", "must be after from", "to")
        return self

    @property
    def from_ms(self) -> int:
        """Epoch ms."""
        return rfc3339_moment(self.from_)

    @property
    def to_ms(self) -> int:
        """Epoch ms."""
        return rfc3339_moment(self.to)


class ExtensionDocument(StrictModel):
    """What every kind of ours has."""

    api_version: Literal["servicelevel/v1"]
    metadata: Metadata


class RulesDocument(ExtensionDocument):
    """`kind: AlertPolicy` of ours: an SLO names it as it names one of OpenSLO's."""

    kind: Literal["AlertPolicy"]
    spec: RulesSpec


class CorrectionDocument(ExtensionDocument):
    """`kind: Correction`."""

    kind: Literal["Correction"]
    spec: CorrectionSpec


AnyExtension = RulesDocument | CorrectionDocument

EXTENSION_KINDS: Mapping[str, type[AnyExtension]] = MappingProxyType(
    {"AlertPolicy": RulesDocument, "Correction": CorrectionDocument}
)
