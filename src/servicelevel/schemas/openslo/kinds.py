"""OpenSLO v1 `Service` and `DataSource`, and all kinds by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from servicelevel.schemas.openslo.alerting import ConditionDocument, PolicyDocument, TargetDocument
from servicelevel.schemas.openslo.common import Description, Document, NonEmpty, StrictModel
from servicelevel.schemas.openslo.indicator import IndicatorDocument
from servicelevel.schemas.openslo.objective import SloDocument


class ServiceSpec(StrictModel):
    """A service has a description at most."""

    description: Description = ""


class ServiceDocument(Document):
    """`kind: Service`."""

    kind: Literal["Service"]
    spec: ServiceSpec = ServiceSpec()


class DataSourceSpec(StrictModel):
    """Where metrics are kept; the details may be secret and are never shown."""

    description: Description = ""
    type: NonEmpty
    connection_details: Any = Field(repr=False)


class DataSourceDocument(Document):
    """`kind: DataSource`."""

    kind: Literal["DataSource"]
    spec: DataSourceSpec


AnyDocument = (
    ServiceDocument
    | DataSourceDocument
    | IndicatorDocument
    | SloDocument
    | PolicyDocument
    | ConditionDocument
    | TargetDocument
)

KINDS: Mapping[str, type[AnyDocument]] = MappingProxyType(
    {
        "Service": ServiceDocument,
        "DataSource": DataSourceDocument,
        "SLI": IndicatorDocument,
        "SLO": SloDocument,
        "AlertPolicy": PolicyDocument,
        "AlertCondition": ConditionDocument,
        "AlertNotificationTarget": TargetDocument,
    }
)
