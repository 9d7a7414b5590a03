"""What the demo knows at a moment: statuses, alerts, what happened. No input or output here."""

from dataclasses import dataclass, field

from servicelevel.domain.outputs import AlertState
from servicelevel.entrypoints.demo.sent import Sent
from servicelevel.schemas.cloudevents import AlertData, AlertEvent, StatusData, StatusEvent


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the story: `at_s` seconds after the start; `level` says how loud it is."""

    at_s: float
    level: str  # "phase", "page", "ticket", "info", "breach", "resolved"
    text: str


@dataclass(slots=True)
class Board:
    """Fed with output events. What is told early is not told again when it is confirmed."""

    sent: Sent = field(default_factory=Sent)
    statuses: dict[tuple[str, str, str], StatusData] = field(default_factory=dict)
    open: dict[str, AlertData] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)
    raised: int = 0
    resolved: int = 0
    breaches: int = 0
    first_alert_s: float | None = None
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    def status(self, event: StatusEvent) -> None:
        """The last one of an objective and group is in force."""
        data = event.data
        self.statuses[(data.slo, data.objective, data.group)] = data

    def transition(self, event: AlertEvent, at_s: float) -> Happening | None:
        """What a transition adds to the story; None for a repeat or a confirmation."""
        data = event.data
        key = (data.alert_id, str(data.state), event.time)
        if key in self._seen:
            return None
        self._seen.add(key)
        if data.state in (AlertState.RESOLVED, AlertState.RETRACTED):
            self.open.pop(data.alert_id, None)
            self.resolved += 1
        else:
            self.open[data.alert_id] = data
        if data.state == AlertState.RAISED:
            self.raised += 1
            self.breaches += data.kind == "breach"
            self.first_alert_s = at_s if self.first_alert_s is None else self.first_alert_s
        return self.happens(at_s, _level(data), describe(data))

    def standing(self, status: StatusData) -> tuple[str, str | None]:
        """State and severity of an objective and group: its open alerts, told between two
        statuses, or what its last status says.
        """
        place = (status.slo, status.objective, status.group)
        alerts = [a for a in self.open.values() if (a.slo, a.objective, a.group) == place]
        if not alerts:
            return status.state, status.severity
        warning = next((str(a.severity) for a in alerts if a.kind == "warning"), None)
        breached = any(a.kind == "breach" for a in alerts)
        return "breached" if breached else "warning", warning

    def happens(self, at_s: float, level: str, text: str) -> Happening:
        """Add a line to the story."""
        happening = Happening(at_s, level, text)
        self.happenings.append(happening)
        return happening


def _level(data: AlertData) -> str:
    if data.state in (AlertState.RESOLVED, AlertState.RETRACTED):
        return "resolved"
    return "breach" if data.kind == "breach" else str(data.severity)


def describe(data: AlertData) -> str:
    """A transition in one line."""
    what = "breach" if data.kind == "breach" else str(data.severity)
    name = f"{what} {data.state}: {data.slo} ({data.objective})"
    left = budget_left(data.budget_remaining)
    if data.kind == "breach":
        sli = "no events" if not data.total else f"{data.good / data.total:.2%}"
        return f"{name}: {sli} of {data.target:.2%}; {left}"
    rule = data.rule.partition("@")[0]
    burn = "no burn rate" if data.burn_rate_long is None else f"burn rate {data.burn_rate_long:.1f}"
    return f"{name}: {burn} over {rule}; {left}"


def budget_left(ratio: float | None) -> str:
    """The rest of an error budget in words."""
    if ratio is None:
        return "no budget yet"
    if round(ratio, 2) == 0:
        return "budget spent"
    return f"{ratio:.0%} of budget left" if ratio >= 0 else f"budget overspent by {-ratio:.0%}"
