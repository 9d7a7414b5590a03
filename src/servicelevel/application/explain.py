"""An alert in plain words: which rule, over which numbers, and where the bad events came from."""

from collections.abc import Iterable, Iterator, Sequence

from servicelevel.domain.outputs import AlertState
from servicelevel.schemas.cloudevents import AlertData, AlertEvent, WindowCounts

_ENDS = {AlertState.RESOLVED.value, AlertState.RETRACTED.value}
_CROSSINGS = {AlertState.RAISED.value, AlertState.ESCALATED.value}
_WIDTH = 12


def of_alert(events: Iterable[AlertEvent], wanted: str) -> list[AlertEvent]:
    """The transitions of an alert, or the one that has this id itself, the oldest first."""
    found = {e.id: e for e in events if wanted in (e.id, e.data.alert_id)}
    return sorted(found.values(), key=lambda e: (e.time, e.data.state in _ENDS))


def decisive(history: Sequence[AlertEvent]) -> AlertEvent:
    """The last transition with the alert still open: it has the numbers that say why."""
    still_open = [event for event in history if event.data.state not in _ENDS]
    return (still_open or history)[-1]


def explanation(event: AlertEvent, history: Sequence[AlertEvent] = ()) -> Iterator[str]:
    """Lines of text; with more than one transition in `history` also what became of the alert.

    Characters that a terminal would act on are written as escapes.
    """
    for line in _lines(event, history):
        yield "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _lines(event: AlertEvent, history: Sequence[AlertEvent]) -> Iterator[str]:
    data = event.data
    yield f"{data.kind.capitalize()} {data.state} ({data.severity}): {data.slo}"
    yield _fact("objective", f"{data.objective} of service {data.service}")
    if data.group:
        yield _fact("group", data.group)
    yield _fact("why", _why(data))
    if data.kind == "warning" and data.state not in _ENDS:
        yield _fact("spending", _spending(data))
    yield _fact("when", f"{event.time}, by the events' own time")
    yield from _crossed(event, history)
    yield _fact("raised", data.raised_at)
    yield _fact("final", _final(data))
    yield _fact("target", f"{_percent(data.target)} good over the objective's whole window")
    yield _fact("reached", _reached(data.good, data.total))
    yield _fact("budget", _budget(data.budget_remaining))
    yield from _windows(data)
    yield from _origin(event)
    yield _fact("definition", f"{data.slo}, digest {data.definition_digest}")
    yield _fact("alert", data.alert_id)
    if len(history) > 1:
        yield "what became of it, the oldest first:"
        for other in history:
            early = ", early" if other.data.early else ""
            yield (
                f"  {other.time}  {other.data.state} "
                f"({other.data.severity}, rule {other.data.rule}{early})"
            )


def _why(data: AlertData) -> str:
    is_breach = data.kind == "breach"
    match AlertState(data.state):
        case AlertState.RETRACTED:
            return "it was told early, and the complete pane did not bear it out: nothing happened"
        case AlertState.RESOLVED if is_breach:
            return "the SLI is back at its target over the whole window"
        case AlertState.RESOLVED:
            return f"no rule holds any more; the last that did was {data.rule}"
        case _ if is_breach:
            return "the SLI is below its target over the whole window: the objective is missed"
        case AlertState.RAISED:
            return f"rule {data.rule} holds, and none did before"
        case AlertState.ESCALATED:
            return f"rule {data.rule} holds now, which is louder than the one before"
        case AlertState.DEESCALATED if data.early:
            return f"a louder rule was told early and not borne out; rule {data.rule} holds"
        case AlertState.DEESCALATED:
            return f"only rule {data.rule} holds now, which is quieter than the one before"
        case AlertState.REVISED:
            return f"its numbers changed; rule {data.rule} holds"


def _crossed(event: AlertEvent, history: Sequence[AlertEvent]) -> Iterator[str]:
    """The end of the pane that made the difference, if a transition that is known says it."""
    data = event.data
    for told in sorted((*history, event), key=lambda e: e.time, reverse=True):
        is_it = told.data.state in _CROSSINGS and told.data.rule == data.rule
        if is_it and told.time <= event.time:
            what = "the SLI is below its target" if data.kind == "breach" else f"{data.rule} holds"
            yield _fact("crossed", f"{told.time}, the end of the first pane with which {what}")
            return


def _spending(data: AlertData) -> str:
    long, _, short = data.rule.partition("/")
    if long not in data.evidence.windows:  # a rule with a name of its own
        long, short = "its longest window", "its shortest"
    return (
        f"{_rate(data.burn_rate_long)} times as fast as the budget lasts over {long}, "
        f"{_rate(data.burn_rate_short)} times over {short or long}"
    )


def _final(data: AlertData) -> str:
    if not data.early:
        return "yes, decided on a complete pane"
    if data.state in (AlertState.RAISED, AlertState.ESCALATED):
        return "no, told early: the complete pane confirms it or takes it back"
    return "yes, it takes back what was told early"


def _reached(good: float, total: int) -> str:
    if not total:
        return "no events"
    return (
        f"{_percent(good / total)}: {_amount(good)} good of {total:,}, {_amount(total - good)} bad"
    )


def _amount(amount: float) -> str:
    """Whole, or a fraction where slices or parts count by their ratio."""
    return f"{amount:,}" if isinstance(amount, int) else f"{amount:,.3f}"


def _budget(remaining: float | None) -> str:
    if remaining is None:
        return "unknown, there are no events"
    if remaining < 0:
        return f"overspent: {1 - remaining:.3g} times as many bad events as may be"
    return f"{_percent(remaining, 3)} left"


def _windows(data: AlertData) -> Iterator[str]:
    windows = data.evidence.windows
    if not windows:
        return
    yield "windows that end then (burn rate 1 spends the budget in just the objective's window):"
    names = data.rule.split("/")
    for name, counts in windows.items():
        mark = "  <- the rule's" if name in names else ""
        burn = _rate(_burn_rate(counts, data.target))
        yield f"  {name:>5}  {_reached(counts.good, counts.total)}; burn rate {burn}{mark}"


def _burn_rate(counts: WindowCounts, target: float) -> float | None:
    if not counts.total or target >= 1:
        return None
    return (counts.total - counts.good) / counts.total / (1 - target)


def _origin(event: AlertEvent) -> Iterator[str]:
    evidence = event.data.evidence
    if evidence.dimensions:
        yield f"bad events after {evidence.since}, by what most of them share:"
        width = len(f"{max(evidence.dimensions.values()):,}")
        for name, bad in evidence.dimensions.items():
            yield f"  {bad:>{width},}  {name}"
    if evidence.offsets:
        yield "where the first and the last of them are:"
        for source, span in evidence.offsets.items():
            yield f"  {source}  offset {span.first} to {span.last}"
    if not evidence.dimensions and not evidence.offsets:
        yield _fact("bad events", f"none after {evidence.since}")


def _fact(name: str, text: str) -> str:
    return f"  {name:<{_WIDTH}}{text}"


def _percent(ratio: float, digits: int = 6) -> str:
    return f"{ratio * 100:.{digits}g} %"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.3g}"
