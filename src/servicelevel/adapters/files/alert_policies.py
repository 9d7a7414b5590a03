"""Resolves the alert policies of an SLO to conditions that can be evaluated."""

from fractions import Fraction

from servicelevel.adapters.files.alert_rules import Condition
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.domain.severity import Severity
from servicelevel.schemas.openslo.alerting import (
    ConditionDocument,
    ConditionSpec,
    PolicyDocument,
    PolicyEntry,
    PolicySpec,
    TargetDocument,
)
from servicelevel.schemas.openslo.objective import SloSpec

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


class PolicyReader:
    """Resolves the alert policies of SLOs to conditions; each problem is reported once."""

    def __init__(self, library: Library, report: Report) -> None:
        self._library = library
        self._report = report

    def conditions(self, spec: SloSpec, window_ms: int, site: Site) -> list[Condition] | None:
        """The conditions of all policies; None if one is wanted that cannot be evaluated."""
        found: list[Condition] = []
        complete = True
        for index, entry in enumerate(spec.alert_policies):
            policy = self._policy(entry, site.at("alertPolicies", index))
            if policy is None:
                complete = False
                continue
            self._targets(*policy)
            if not self._breaching(*policy):
                continue
            condition = self._condition(*policy, window_ms=window_ms)
            if condition is None:
                complete = False
            else:
                found.append(condition)
        return found if complete else None

    def _policy(self, entry: PolicyEntry, site: Site) -> tuple[PolicySpec, Site] | None:
        if entry.spec is not None:
            return entry.spec, site.at("spec")
        name = entry.alert_policy_ref or ""
        found = self._library.find(PolicyDocument, name)
        if found is None:
            self._unresolved("AlertPolicy", name, site.at("alertPolicyRef"))
            return None
        return found[0].spec, found[1].at("spec")

    def _targets(self, policy: PolicySpec, site: Site) -> None:
        for index, entry in enumerate(policy.notification_targets):
            name = entry.target_ref
            if name is not None and self._library.find(TargetDocument, name) is None:
                place = site.at("notificationTargets", index, "targetRef")
                message = f"AlertNotificationTarget {name} is in none of the files: add it"
                self._report.ignore(place, "reference/unresolved", message)

    def _breaching(self, policy: PolicySpec, site: Site) -> bool:
        """Whether the policy wants the alert at all; what it wants besides is pointed out."""
        if policy.alert_when_no_data:
            message = "alertWhenNoData is not evaluated yet: the status tells no_data"
            self._report.ignore(site.at("alertWhenNoData"), "unsupported/no-data", message)
        if "alert_when_breaching" in policy.model_fields_set and not policy.alert_when_breaching:
            message = "with alertWhenBreaching: false this policy never alerts: write true"
            self._report.warn(site.at("alertWhenBreaching"), "servicelevel/silent", message)
            return False
        return True

    def _condition(self, policy: PolicySpec, site: Site, *, window_ms: int) -> Condition | None:
        entry, place = policy.conditions[0], site.at("conditions", 0)
        if entry.spec is not None:
            return self._evaluable(entry.spec, place.at("spec"), window_ms)
        name = entry.condition_ref or ""
        found = self._library.find(ConditionDocument, name)
        if found is None:
            self._unresolved("AlertCondition", name, place.at("conditionRef"))
            return None
        return self._evaluable(found[0].spec, found[1].at("spec"), window_ms)

    def _evaluable(self, spec: ConditionSpec, site: Site, window_ms: int) -> Condition | None:
        burn, place = spec.condition, site.at("condition")
        severity = SEVERITIES.get(spec.severity.lower())
        refusals = []
        if severity is None:
            message = f"severity {spec.severity} is unknown: write one of {', '.join(SEVERITIES)}"
            refusals.append((site.at("severity"), "unsupported/severity", message))
        if burn.op not in ("gt", "gte"):
            message = f"op {burn.op} would alert while the budget burns slowly: write gt"
            refusals.append((place.at("op"), "unsupported/op", message))
        if burn.lookback_window.ms > window_ms:
            message = f"{burn.lookback_window.text} is longer than the SLO's window: write less"
            refusals.append((place.at("lookbackWindow"), "unsupported/window", message))
        for where, rule, message in refusals:
            self._report.refuse(where, rule, message)
        if refusals or severity is None:
            return None
        if burn.op == "gte":
            message = "gte is evaluated as gt: a burn rate equal to the threshold does not alert"
            self._report.ignore(place.at("op"), "unsupported/op", message)
        if burn.alert_after.ms:
            message = "alertAfter is not evaluated: the short window confirms the alert instead"
            self._report.ignore(place.at("alertAfter"), "unsupported/alert-after", message)
        return Condition(burn.lookback_window.ms, Fraction(burn.threshold), severity, site)

    def _unresolved(self, kind: str, name: str, site: Site) -> None:
        message = f"{kind} {name} is in none of the files: add it, or name one that is"
        self._report.refuse(site, "reference/unresolved", message)
