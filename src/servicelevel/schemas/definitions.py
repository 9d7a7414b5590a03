"""All kinds of documents that definition files hold, by version and kind."""

from collections.abc import Mapping
from types import MappingProxyType

from servicelevel.schemas.extensions import common as extensions
from servicelevel.schemas.extensions.alert_policy import RulePolicyDocument
from servicelevel.schemas.extensions.correction import CorrectionDocument
from servicelevel.schemas.openslo import common as openslo
from servicelevel.schemas.openslo.kinds import KINDS, OpensloDocument

AnyDocument = OpensloDocument | RulePolicyDocument | CorrectionDocument

EXTENSION_KINDS: Mapping[str, type[AnyDocument]] = MappingProxyType(
    {"AlertPolicy": RulePolicyDocument, "Correction": CorrectionDocument}
)

VERSIONS: Mapping[str, Mapping[str, type[AnyDocument]]] = MappingProxyType(
    {openslo.API_VERSION: KINDS, extensions.API_VERSION: EXTENSION_KINDS}
)
"""The kinds of each `apiVersion`."""
