"""One promise and group under watch: its warning, its breach, and what is told of them."""

from collections.abc import Iterable

from servicelevel.application.evaluate.kept import Kept
from servicelevel.application.evaluate.promise import Promise, silences_ms
from servicelevel.application.evaluate.series import Series
from servicelevel.application.evaluate.wording import status, transition
from servicelevel.domain.alerts import Alert, Condition, Identity, Step
from servicelevel.domain.burn import holds, is_breached, severity_of, turns_ms
from servicelevel.domain.holding import Holding
from servicelevel.domain.outputs import Status, Transition
from servicelevel.domain.rules import Rule
from servicelevel.domain.severity import Severity
from servicelevel.domain.sight import Sight

BREACH_RULE = "budget"


class Watch:
    """Decides, for one (SLO, objective, group)."""

    def __init__(self, promise: Promise, group: str, breach_severity: Severity) -> None:
        self.promise = promise
        self.group = group
        self._breach = Condition(BREACH_RULE, breach_severity)
        names = (promise.slo.name, promise.name, group)
        self.warning = Kept(Alert(Identity("warning", *names)))
        self.breach = Kept(Alert(Identity("breach", *names)))
        self.silences_ms = tuple(ms for rule in promise.rules for ms in silences_ms(rule))
        """For how long nothing may come, where rules say so."""
        self._slow_rules = tuple(rule for rule in promise.rules if not rule.is_plain)

    def kept(self) -> tuple[Kept, Kept]:
        """Both alerts."""
        return self.warning, self.breach

    @property
    def is_quiet(self) -> bool:
        """Nothing is open, nothing was told early, and no rule waits."""
        alerts = (self.warning.alert, self.breach.alert)
        is_still = all(alert.current is None and alert.early is None for alert in alerts)
        return is_still and not any(r.name in self.warning.holdings for r in self._slow_rules)

    def wake_ms(self) -> int | None:
        """When a rule changes if all stays as it is."""
        found = [
            wake
            for rule in self._slow_rules
            if (holding := self.warning.holdings.get(rule.name)) is not None
            and (wake := holding.wake_ms(rule)) is not None
        ]
        return min(found, default=None)

    def turns_ms(self, sight: Sight) -> int | None:
        """When a rule stops to hold though nothing changes."""
        target = self.promise.target
        found = (turns_ms(rule.condition, sight, target) for rule in self.promise.rules)
        return min((each for each in found if each is not None), default=None)

    def on_time(
        self,
        sight: Sight,
        series: tuple[Series, ...],
        offset: int,
        evidence_ms: int,
        *,
        revised: bool,
    ) -> list[Transition]:
        """Decide at a complete unit; alerts stored with this message already are left alone.

        `revised`: numbers that were judged before have changed.
        """
        told: list[Transition] = []
        if not self.promise.alerts:
            return told
        for kept in self.kept():
            if kept.offset < offset:
                condition = self._breached(sight) if kept is self.breach else self._threat(sight)
                digest = self.promise.slo.digest
                is_redefined = kept.last is not None and kept.last.definition_digest != digest
                steps = kept.alert.on_time(condition, sight.at_ms, revised=revised or is_redefined)
                told += self._word(kept, steps, sight, series, offset, evidence_ms)
        return told

    def ahead_of_time(
        self, sight: Sight, series: tuple[Series, ...], offset: int, evidence_ms: int
    ) -> list[Transition]:
        """Decide at a pane that is not complete yet."""
        told: list[Transition] = []
        if not self.promise.alerts:
            return told
        for kept in self.kept():
            if kept.offset < offset:
                expected = self._breached(sight) if kept is self.breach else self._expected(sight)
                steps = kept.alert.ahead_of_time(expected, sight.at_ms)
                told += self._word(kept, steps, sight, series, offset, evidence_ms)
        return told

    def _breached(self, sight: Sight) -> Condition | None:
        return self._breach if is_breached(sight, self.promise.target) else None

    def _threat(self, sight: Sight) -> Condition | None:
        return _loudest((rule for rule in self.promise.rules if self._holds(rule, sight)), sight)

    def _holds(self, rule: Rule, sight: Sight) -> bool:
        target = self.promise.target
        if rule.is_plain:
            return holds(rule.condition, sight, target)
        holdings = self.warning.holdings
        holding = holdings.get(rule.name) or Holding()
        before = holding.dump()
        holding.update(rule, sight, target)
        if holding.dump() != before:
            self.warning.changed = True
        if holding == Holding():
            holdings.pop(rule.name, None)
        else:
            holdings[rule.name] = holding
        return holding.active

    def _expected(self, sight: Sight) -> Condition | None:
        target, nothing = self.promise.target, Holding()
        holding = self.warning.holdings
        return _loudest(
            (
                rule
                for rule in self.promise.rules
                if (nothing if rule.is_plain else holding.get(rule.name, nothing)).expects(
                    rule, sight, target
                )
            ),
            sight,
        )

    def _word(
        self,
        kept: Kept,
        steps: Iterable[Step],
        sight: Sight,
        series: tuple[Series, ...],
        offset: int,
        evidence_ms: int,
    ) -> list[Transition]:
        identity = kept.alert.identity
        told = [
            transition(self.promise, identity, step, sight, series, evidence_ms) for step in steps
        ]
        for each in told:
            kept.tell(offset, each)
        return told

    def told_status(self, sight: Sight, at_ms: int) -> Status:
        """As `status`; that there is one is kept, so that it can be removed one day."""
        if self.warning.service != self.promise.slo.service:
            self.warning.service, self.warning.changed = self.promise.slo.service, True
        return self.status(sight, at_ms)

    def unseen(self, at_ms: int) -> Status:
        """The status before anything is known."""
        return self.status(Sight(at_ms, self.promise.window, self.promise.slo.window_ms, 0), at_ms)

    def status(self, sight: Sight, at_ms: int) -> Status:
        """Where the objective stands."""
        return status(
            self.promise,
            self.group,
            sight,
            at_ms,
            self.warning.alert.current,
            self.breach.alert.current,
        )


def _loudest(holding: Iterable[Rule], sight: Sight) -> Condition | None:
    """The rule that holds with the highest severity; among equals the first listed."""
    found: Condition | None = None
    for rule in holding:
        severity = severity_of(rule, sight)
        if severity is not None and (found is None or severity.rank > found.severity.rank):
            found = Condition(rule.name, severity)
    return found
