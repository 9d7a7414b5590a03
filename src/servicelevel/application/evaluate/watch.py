"""One objective and group under watch: its warning, its breach, and what is told of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from servicelevel.application.evaluate.series import Series
from servicelevel.domain.alerts import Alert, Condition, Identity, Step
from servicelevel.domain.burn import Budget, burn_rate, is_breached, loudest
from servicelevel.domain.model import Objective, Slo
from servicelevel.domain.outputs import Evidence, Status, Transition
from servicelevel.domain.panes import ZERO, Counts
from servicelevel.domain.severity import Severity
from servicelevel.domain.time import duration_text

BREACH_RULE = "budget"
TOP_DIMENSIONS = 5
Sums = Mapping[int, Counts]


@dataclass(slots=True)
class Kept:
    """An alert with the counts offset it was last stored at, and what may not be told yet.

    `parts` is how many further entries have the rest of that.
    """

    alert: Alert
    offset: int = -1
    parts: int = 0
    pending: list[tuple[int, Transition]] = field(default_factory=list)
    changed: bool = False


def windows_of(slo: Slo, objective: Objective) -> set[int]:
    """The lengths in ms of all windows that an objective needs."""
    return {slo.window_ms, *(w for r in objective.rules for w in (r.long_ms, r.short_ms))}


class Watch:
    """Decides, for one (SLO, objective, group), and words the outcome."""

    def __init__(
        self, slo: Slo, objective: Objective, group: str, breach_severity: Severity
    ) -> None:
        self.slo = slo
        self.objective = objective
        self.group = group
        self._breach = Condition(BREACH_RULE, breach_severity)
        self._lengths = sorted(windows_of(slo, objective))
        self.warning = Kept(Alert(Identity("warning", slo.name, objective.name, group)))
        self.breach = Kept(Alert(Identity("breach", slo.name, objective.name, group)))

    def kept(self) -> tuple[Kept, Kept]:
        """Both alerts."""
        return self.warning, self.breach

    @property
    def is_quiet(self) -> bool:
        """Nothing is open and nothing was told early."""
        return all(k.alert.current is None and k.alert.early is None for k in self.kept())

    def on_time(
        self, sums: Sums, at_ms: int, series: Series, offset: int, evidence_ms: int
    ) -> list[Transition]:
        """Decide at a complete pane; alerts stored with this message already are left alone."""
        told: list[Transition] = []
        for kept, condition in self._conditions(sums):
            if kept.offset < offset:
                steps = kept.alert.on_time(condition, at_ms)
                told += self._word(kept, steps, sums, series, offset, evidence_ms)
        return told

    def ahead_of_time(
        self, sums: Sums, at_ms: int, series: Series, offset: int, evidence_ms: int
    ) -> list[Transition]:
        """Decide at a pane that is not complete yet."""
        told: list[Transition] = []
        for kept, condition in self._conditions(sums):
            if kept.offset < offset:
                steps = kept.alert.ahead_of_time(condition, at_ms)
                told += self._word(kept, steps, sums, series, offset, evidence_ms)
        return told

    def _conditions(self, sums: Sums) -> tuple[tuple[Kept, Condition | None], ...]:
        rule = loudest(self.objective, sums)
        threat = None if rule is None else Condition(rule.name, rule.severity)
        missed = is_breached(sums.get(self.slo.window_ms, ZERO), self.objective.target)
        return (self.warning, threat), (self.breach, self._breach if missed else None)

    def _word(
        self,
        kept: Kept,
        steps: list[Step],
        sums: Sums,
        series: Series,
        offset: int,
        evidence_ms: int,
    ) -> list[Transition]:
        told = [self._transition(kept.alert.identity, s, sums, series, evidence_ms) for s in steps]
        if told:
            kept.changed = True
            kept.pending += [(offset, transition) for transition in told]
        return told

    def _transition(
        self, identity: Identity, step: Step, sums: Sums, series: Series, evidence_ms: int
    ) -> Transition:
        target = self.objective.target
        rule = next((r for r in self.objective.rules if r.name == step.alert.rule), None)
        long_ms = rule.long_ms if rule is not None else self.slo.window_ms
        short_ms = rule.short_ms if rule is not None else self.slo.window_ms
        good, total = sums.get(self.slo.window_ms, ZERO)
        after_ms = step.at_ms - min(short_ms, evidence_ms)
        origin = series.evidence(after_ms, step.at_ms)
        top = sorted(origin.dimensions.items(), key=lambda item: (-item[1], item[0]))
        return Transition(
            id=step.id,
            kind=identity.kind,
            state=step.state,
            alert_id=step.alert.alert_id,
            slo=self.slo.name,
            objective=self.objective.name,
            service=self.slo.service,
            group=self.group,
            severity=step.alert.severity,
            rule=step.alert.rule,
            at_ms=step.at_ms,
            raised_at_ms=step.alert.raised_at_ms,
            burn_rate_long=burn_rate(sums.get(long_ms, ZERO), target),
            burn_rate_short=burn_rate(sums.get(short_ms, ZERO), target),
            good=good,
            total=total,
            target=target,
            budget_remaining=Budget.of((good, total), target).remaining_ratio,
            early=step.early,
            definition_digest=self.slo.digest,
            evidence=Evidence(
                from_ms=after_ms,
                windows={duration_text(w): sums.get(w, ZERO) for w in self._lengths},
                offsets=dict(sorted(origin.offsets.items())),
                dimensions=dict(islice(top, TOP_DIMENSIONS)),
            ),
        )

    def status(self, sums: Sums, at_ms: int) -> Status:
        """Where the objective stands."""
        target = self.objective.target
        good, total = sums.get(self.slo.window_ms, ZERO)
        budget = Budget.of((good, total), target)
        warning, breach = self.warning.alert.current, self.breach.alert.current
        return Status(
            slo=self.slo.name,
            objective=self.objective.name,
            service=self.slo.service,
            group=self.group,
            at_ms=at_ms,
            good=good,
            total=total,
            sli=good / total if total else None,
            target=target,
            allowed=budget.allowed,
            consumed=budget.consumed,
            remaining_ratio=budget.remaining_ratio,
            burn_rates={
                duration_text(w): burn_rate(sums.get(w, ZERO), target) for w in self._lengths
            },
            state="breached" if breach else "warning" if warning else "ok" if total else "no_data",
            severity=warning.severity if warning else None,
            warning_alert_id=warning.alert_id if warning else None,
            breach_alert_id=breach.alert_id if breach else None,
            window_ms=self.slo.window_ms,
            definition_digest=self.slo.digest,
        )
