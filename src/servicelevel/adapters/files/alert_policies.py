"""Resolves the alert policies of an SLO, OpenSLO's and ours, to rules."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

from servicelevel.adapters.files.alert_rules import PolicyRule, lookback_rule
from servicelevel.adapters.files.explain import brief
from servicelevel.adapters.files.findings import Report, Site
from servicelevel.adapters.files.library import Library
from servicelevel.adapters.files.rule_policies import rule_of
from servicelevel.domain.rules import NoData, Rule
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import duration_text
from servicelevel.schemas.extensions import RulesDocument
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
    """Resolves the alert policies of SLOs; each problem is reported once."""

    def __init__(self, library: Library, report: Report) -> None:
        self._library = library
        self._report = report

    def rules(self, spec: SloSpec, window_ms: int, site: Site) -> list[PolicyRule] | None:
        """The rules of all policies; None if one is wanted that cannot be evaluated."""
        found: list[PolicyRule] = []
        complete = True
        for index, entry in enumerate(spec.alert_policies):
            rules = self._of_entry(entry, window_ms, site.at("alertPolicies", index))
            if rules is None:
                complete = False
            else:
                found += rules
        return found if complete else None

    def _of_entry(
        self, entry: PolicyEntry, window_ms: int, site: Site
    ) -> Sequence[PolicyRule] | None:
        ours = self._library.find(RulesDocument, entry.alert_policy_ref or "")
        if ours is not None:
            document, place = ours
            return [
                PolicyRule(_always(rule_of(rule)), place.at("spec", "rules", i))
                for i, rule in enumerate(document.spec.rules)
            ]
        policy = self._policy(entry, site)
        if policy is None:
            return None
        self._targets(*policy)
        if not self._alerts(*policy):
            return ()
        return self._condition(*policy, window_ms=window_ms)

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

    def _alerts(self, policy: PolicySpec, site: Site) -> bool:
        """Whether the policy wants an alert at all."""
        if not _is_burning_told(policy) and not policy.alert_when_no_data:
            message = "with alertWhenBreaching: false this policy never alerts: write true"
            self._report.warn(site.at("alertWhenBreaching"), "servicelevel/silent", message)
            return False
        return True

    def _condition(
        self, policy: PolicySpec, site: Site, *, window_ms: int
    ) -> Sequence[PolicyRule] | None:
        entry, place = policy.conditions[0], site.at("conditions", 0)
        if entry.spec is not None:
            found = entry.spec, place.at("spec")
        else:
            name = entry.condition_ref or ""
            document = self._library.find(ConditionDocument, name)
            if document is None:
                self._unresolved("AlertCondition", name, place.at("conditionRef"))
                return None
            found = document[0].spec, document[1].at("spec")
        severity = self._severity(*found, window_ms=window_ms)
        if severity is None:
            return None
        burn, where = found[0].condition, found[1].at("condition")
        long_ms, factor, after_ms = (
            burn.lookback_window.ms,
            Fraction(burn.threshold),
            burn.alert_after.ms,
        )
        rules = []
        if _is_burning_told(policy):
            make = partial(lookback_rule, long_ms, factor, severity, after_ms)
            rules.append(PolicyRule(make, where.at("threshold")))
        if policy.alert_when_no_data:
            name = f"no data for {duration_text(long_ms)}"
            silent = Rule(name, NoData(long_ms), severity, after_ms=after_ms)
            rules.append(PolicyRule(_always(silent), where))
        return rules

    def _severity(self, spec: ConditionSpec, site: Site, *, window_ms: int) -> Severity | None:
        """How loud the condition is, or None after reporting why it is not evaluated."""
        burn, place = spec.condition, site.at("condition")
        severity = SEVERITIES.get(spec.severity.lower())
        refusals = []
        if severity is None:
            known = ", ".join(SEVERITIES)
            message = f"severity {brief(spec.severity)} is unknown: write one of {known}"
            refusals.append((site.at("severity"), "unsupported/severity", message))
        if burn.op not in ("gt", "gte"):
            message = f"op {burn.op} would alert while the budget burns slowly: write gt"
            refusals.append((place.at("op"), "unsupported/op", message))
        if burn.lookback_window.ms > window_ms:
            message = f"{burn.lookback_window.text} is longer than the SLO's window: write less"
            refusals.append((place.at("lookbackWindow"), "unsupported/window", message))
        for where, rule, message in refusals:
            self._report.refuse(where, rule, message)
        if refusals:
            return None
        if burn.op == "gte":
            message = "gte is evaluated as gt: a burn rate equal to the threshold does not alert"
            self._report.ignore(place.at("op"), "unsupported/op", message)
        return severity

    def _unresolved(self, kind: str, name: str, site: Site) -> None:
        message = f"{kind} {name} is in none of the files: add it, or name one that is"
        self._report.refuse(site, "reference/unresolved", message)


def _is_burning_told(policy: PolicySpec) -> bool:
    """Left out, alertWhenBreaching is true: who writes a condition means it."""
    return policy.alert_when_breaching or "alert_when_breaching" not in policy.model_fields_set


def _always(rule: Rule) -> Callable[[int], Rule]:
    """The same rule whatever the units are."""

    def make(_unit_ms: int) -> Rule:
        return rule

    return make
