"""Words what was decided: transitions and statuses, from what was seen."""

from collections.abc import Mapping
from itertools import islice

from servicelevel.application.cells import GrowingEvidence
from servicelevel.application.evaluate.promise import Promise
from servicelevel.application.evaluate.series import Series
from servicelevel.domain.alerts import Identity, Open, Step
from servicelevel.domain.burn import Budget, burn_rate, is_breached
from servicelevel.domain.forecast import eta
from servicelevel.domain.outputs import Evidence, Forecast, Percentile, Status, Transition
from servicelevel.domain.sight import Sight
from servicelevel.domain.sketch import quantile

TOP_DIMENSIONS = 5


def transition(
    promise: Promise,
    identity: Identity,
    step: Step,
    sight: Sight,
    series: tuple[Series, ...],
    evidence_ms: int,
) -> Transition:
    """One step of an alert, with the numbers that decided it."""
    windows = promise.windows_of.get(step.alert.rule) or (promise.window,)
    long, short = windows[0], windows[-1]
    good, total = sight.told(promise.window)
    budget = Budget.of(good, total, promise.target)
    return Transition(
        id=step.id,
        kind=identity.kind,
        state=step.state,
        alert_id=step.alert.alert_id,
        slo=promise.slo.name,
        objective=promise.name,
        service=promise.slo.service,
        group=identity.group,
        severity=step.alert.severity,
        rule=step.alert.rule,
        at_ms=step.at_ms,
        raised_at_ms=step.alert.raised_at_ms,
        burn_rate_long=burn_rate(sight.of(long), promise.target),
        burn_rate_short=burn_rate(sight.of(short), promise.target),
        good=good,
        total=total,
        target=promise.target,
        budget_remaining=budget.remaining_ratio,
        early=step.early,
        definition_digest=promise.slo.digest,
        evidence=_evidence(promise, step.at_ms, short, sight, series, evidence_ms),
    )


def _evidence(
    promise: Promise,
    at_ms: int,
    short: int,
    sight: Sight,
    series: tuple[Series, ...],
    evidence_ms: int,
) -> Evidence:
    after_ms = at_ms - min(short or evidence_ms, evidence_ms)
    origin = GrowingEvidence()
    for each in series:
        origin.add(each.evidence(after_ms, at_ms))
    top = sorted(origin.dimensions.items(), key=lambda item: (-item[1], item[0]))
    return Evidence(
        from_ms=after_ms,
        windows={name: sight.told(w) for w, name in promise.names.items()},
        offsets=dict(sorted(origin.offsets.items())),
        dimensions=dict(islice(top, TOP_DIMENSIONS)),
    )


def status(
    promise: Promise,
    group: str,
    sight: Sight,
    at_ms: int,
    warning: Open | None,
    breach: Open | None,
) -> Status:
    """Where the objective stands."""
    good, total = sight.told(promise.window)
    budget = Budget.of(good, total, promise.target)
    begin_ms = at_ms - promise.reach_ms
    return Status(
        slo=promise.slo.name,
        objective=promise.name,
        service=promise.slo.service,
        group=group,
        at_ms=at_ms,
        good=good,
        total=total,
        sli=float(good / total) if total else None,
        target=promise.target,
        allowed=budget.allowed,
        consumed=budget.consumed,
        remaining_ratio=budget.remaining_ratio,
        burn_rates=_burn_rates(promise, sight),
        state=_state(total, warning, missed=breach is not None or _is_missed(promise, sight)),
        severity=warning.severity if warning else None,
        warning_alert_id=warning.alert_id if warning else None,
        breach_alert_id=breach.alert_id if breach else None,
        window_ms=promise.slo.window_ms,
        definition_digest=promise.slo.digest,
        forecast=_forecast(promise, sight, at_ms),
        percentile=_percentile(promise, sight),
        corrections=tuple(
            c for c in promise.slo.corrections if c.to_ms > begin_ms and c.from_ms < at_ms
        ),
    )


def _percentile(promise: Promise, sight: Sight) -> Percentile | None:
    if promise.percentile is None or sight.values is None:
        return None
    end_ms, sketch = sight.values
    return Percentile(promise.percentile, quantile(sketch, promise.percentile), end_ms)


def _state(total: int, warning: Open | None, *, missed: bool) -> str:
    if missed:
        return "breached"
    return "warning" if warning else "ok" if total else "no_data"


def _is_missed(promise: Promise, sight: Sight) -> bool:
    """Of a part of a composite, which has no alert to say so."""
    return not promise.alerts and is_breached(sight, promise.target)


def _burn_rates(promise: Promise, sight: Sight) -> Mapping[str, float | None]:
    return {name: burn_rate(sight.of(w), promise.target) for w, name in promise.names.items()}


def _forecast(promise: Promise, sight: Sight, at_ms: int) -> Forecast | None:
    over_ms = promise.forecast_ms
    if over_ms is None:
        return None
    pace = (sight.bad_units(over_ms), sight.told(over_ms)[1])
    left = eta(sight.total, sight.whole_ms, pace, float(1 - promise.target))
    if left is None:
        return None
    ends = [None if ms is None else at_ms + round(ms) for ms in left]
    if sight.ends_ms is not None:  # a new budget comes with the new period
        ends = [None if end is None or end > sight.ends_ms else end for end in ends]
    return Forecast(over_ms, *ends)
