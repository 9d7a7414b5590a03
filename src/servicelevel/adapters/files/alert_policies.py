"""Resolves the alert policies of an SLO to the rules that they want."""

from dataclasses import dataclass
from fractions import Fraction

from servicelevel.adapters.files.alert_rules import Draft, Judged, Place, Wanted
from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.rule_names import condition_name
from servicelevel.adapters.files.rule_policies import policy_drafts
from servicelevel.domain.rules import All, BurnRate, Condition, NoData, Rule
from servicelevel.domain.severity import Severity
from servicelevel.schemas.extensions.alert_policy import RulePolicyDocument
from servicelevel.schemas.openslo.alerting import (
    ConditionDocument,
    ConditionSpec,
    PolicyDocument,
    PolicyEntry,
    PolicySpec,
    TargetDocument,
)
from servicelevel.schemas.openslo.objective import SloSpec

SHORT_SHARE = 12
"""A short window is a twelfth of the long one, as in the SRE Workbook."""

SEVERITIES = {
    "page": Severity.PAGE,
    "critical": Severity.PAGE,
    "high": Severity.PAGE,
    "ticket": Severity.TICKET,
    "warning": Severity.TICKET,
    "medium": Severity.TICKET,
    "info": Severity.INFO,
    "low": Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class BurnCondition:
    """An alert condition of OpenSLO's that can be evaluated; `site` is that of its spec."""

    spec: ConditionSpec
    severity: Severity
    site: Site

    def breaching(self, judged: Judged) -> Draft:
        """The burn rate over the lookback window, and over a twelfth of it in whole steps."""
        burn, step = self.spec.condition, judged.step_ms
        long_ms, factor = burn.lookback_window.ms, Fraction(burn.threshold)
        steps = max(1, (2 * long_ms + SHORT_SHARE * step) // (2 * SHORT_SHARE * step))
        both = All((BurnRate(long_ms, factor), BurnRate(steps * step, factor)))
        return self._draft(both, burn.alert_after.ms)

    def no_data(self, judged: Judged) -> Draft:  # noqa: ARG002 - one of several `Wanted`
        """No event came during the lookback window."""
        return self._draft(NoData(self.spec.condition.lookback_window.ms))

    def _draft(self, condition: Condition, after_ms: int = 0) -> Draft:
        rule = Rule(condition_name(condition), condition, self.severity, after_ms)
        written = self.site.at("condition")
        place = Place(written.at("lookbackWindow"), written.at("threshold"))
        return Draft(rule, (place,) * (2 if isinstance(condition, All) else 1))


class PolicyReader:
    """Resolves the alert policies of SLOs to rules; each problem is reported once."""

    def __init__(self, library: Library, report: Report) -> None:
        self._library = library
        self._report = report

    def wanted(self, spec: SloSpec, site: Site) -> list[Wanted] | None:
        """The rules of all policies; None if one is wanted that cannot be evaluated."""
        found: list[Wanted] = []
        complete = True
        for index, entry in enumerate(spec.alert_policies):
            rules = self._entry(entry, site.at("alertPolicies", index))
            if rules is None:
                complete = False
            else:
                found.extend(rules)
        return found if complete else None

    def _entry(self, entry: PolicyEntry, site: Site) -> list[Wanted] | None:
        if entry.spec is not None:
            return self._rules(entry.spec, site.at("spec"))
        name = entry.alert_policy_ref or ""
        own = self._library.find(RulePolicyDocument, name)
        if own is not None:
            return [_always(draft) for draft in policy_drafts(own[0].spec, own[1].at("spec"))]
        found = self._library.find(PolicyDocument, name)
        if found is None:
            self._unresolved("AlertPolicy", name, site.at("alertPolicyRef"))
            return None
        return self._rules(found[0].spec, found[1].at("spec"))

    def _rules(self, policy: PolicySpec, site: Site) -> list[Wanted] | None:
        self._targets(policy, site)
        is_breaching = self._is_breaching(policy, site)
        if not is_breaching and not policy.alert_when_no_data:
            return []
        condition = self._condition(policy, site)
        if condition is None:
            return None
        breaching: list[Wanted] = [condition.breaching] if is_breaching else []
        return [*breaching, condition.no_data] if policy.alert_when_no_data else breaching

    def _targets(self, policy: PolicySpec, site: Site) -> None:
        for index, entry in enumerate(policy.notification_targets):
            name = entry.target_ref
            if name is not None and self._library.find(TargetDocument, name) is None:
                place = site.at("notificationTargets", index, "targetRef")
                message = f"AlertNotificationTarget {name} is in none of the files: add it"
                self._report.ignore(place, "reference/unresolved", message)

    def _is_breaching(self, policy: PolicySpec, site: Site) -> bool:
        """Whether the policy wants burn rates at all; one that wants nothing is pointed out."""
        if "alert_when_breaching" not in policy.model_fields_set or policy.alert_when_breaching:
            return True
        if not policy.alert_when_no_data:
            message = "with alertWhenBreaching: false this policy never alerts: write true"
            self._report.warn(site.at("alertWhenBreaching"), "servicelevel/silent", message)
        return False

    def _condition(self, policy: PolicySpec, site: Site) -> BurnCondition | None:
        entry, place = policy.conditions[0], site.at("conditions", 0)
        if entry.spec is not None:
            return self._evaluable(entry.spec, place.at("spec"))
        name = entry.condition_ref or ""
        found = self._library.find(ConditionDocument, name)
        if found is None:
            self._unresolved("AlertCondition", name, place.at("conditionRef"))
            return None
        return self._evaluable(found[0].spec, found[1].at("spec"))

    def _evaluable(self, spec: ConditionSpec, site: Site) -> BurnCondition | None:
        burn, place = spec.condition, site.at("condition")
        severity = SEVERITIES.get(spec.severity.lower())
        if severity is None:
            known = ", ".join(SEVERITIES)
            message = f"severity {brief(spec.severity)} is unknown: write one of {known}"
            self._report.refuse(site.at("severity"), "unsupported/severity", message)
        if burn.op not in ("gt", "gte"):
            message = f"op {burn.op} would alert while the budget burns slowly: write gt"
            self._report.refuse(place.at("op"), "unsupported/op", message)
            return None
        if severity is None:
            return None
        if burn.op == "gte":
            message = "gte is evaluated as gt: a burn rate equal to the threshold does not alert"
            self._report.ignore(place.at("op"), "unsupported/op", message)
        return BurnCondition(spec, severity, site)

    def _unresolved(self, kind: str, name: str, site: Site) -> None:
        message = f"{kind} {name} is in none of the files: add it, or name one that is"
        self._report.refuse(site, "reference/unresolved", message)


def _always(draft: Draft) -> Wanted:
    """A rule that is the same whatever it judges."""
    return lambda _: draft
