"""What two sets of definitions tell of the same events: which alerts, and which budgets are left.

Pure functions over the outputs of two replays. Only on-time transitions count.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from servicelevel.domain.outputs import AlertKind, AlertState, Status, Transition
from servicelevel.domain.severity import Severity

Track = tuple[str, AlertKind, str, str]  # SLO, kind, objective, group


class Outcome(NamedTuple):
    """What one replay told; the statuses are those of its end."""

    transitions: Sequence[Transition]
    statuses: Sequence[Status]


class Both(NamedTuple):
    """A number with the definitions that are tried and with those they are held against."""

    tried: int
    against: int


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert from its raising to its end (None: still open), as loud as it became."""

    alert_id: str
    slo: str
    kind: AlertKind
    objective: str
    group: str
    severity: Severity
    rule: str
    raised_at_ms: int
    ended_at_ms: int | None = None

    @property
    def track(self) -> Track:
        """One alert at a time is open on it."""
        return self.slo, self.kind, self.objective, self.group


@dataclass(frozen=True, slots=True)
class BudgetPair:
    """Budget left at the end, as a ratio; None without events or where it is not defined."""

    objective: str
    group: str
    tried: float | None
    against: float | None


@dataclass(frozen=True, slots=True)
class SloDifference:
    """One SLO in both outcomes.

    An alert is in one only where no alert of the same kind, objective and group is open in the
    other at any time while it is.
    """

    slo: str
    pages: Both
    alerts: Both
    only_tried: tuple[Episode, ...]
    only_against: tuple[Episode, ...]
    budgets: tuple[BudgetPair, ...]


def compare(tried: Outcome, against: Outcome) -> list[SloDifference]:
    """The difference of each SLO that is in one of the outcomes, by name."""
    ours, theirs = episodes(tried.transitions), episodes(against.transitions)
    only_ours, only_theirs = _only(ours, theirs), _only(theirs, ours)
    slos = {e.slo for e in (*ours, *theirs)}
    slos |= {s.slo for s in (*tried.statuses, *against.statuses)}
    return [
        SloDifference(
            slo,
            Both(_pages(tried, slo), _pages(against, slo)),
            Both(sum(e.slo == slo for e in ours), sum(e.slo == slo for e in theirs)),
            only_tried=tuple(e for e in only_ours if e.slo == slo),
            only_against=tuple(e for e in only_theirs if e.slo == slo),
            budgets=tuple(_budgets(tried.statuses, against.statuses, slo)),
        )
        for slo in sorted(slos)
    ]


def total(differences: Iterable[SloDifference]) -> tuple[Both, Both]:
    """Pages and alerts of all SLOs."""
    pages = alerts = Both(0, 0)
    for each in differences:
        pages = Both(pages.tried + each.pages.tried, pages.against + each.pages.against)
        alerts = Both(alerts.tried + each.alerts.tried, alerts.against + each.alerts.against)
    return pages, alerts


def episodes(transitions: Iterable[Transition]) -> list[Episode]:
    """The alerts that were raised on time, in the order of their raising."""
    found: dict[str, Episode] = {}
    for t in sorted((t for t in transitions if not t.early), key=lambda t: t.at_ms):
        known = found.get(t.alert_id)
        if known is None:
            found[t.alert_id] = _raised(t)
        elif t.state is AlertState.RESOLVED:
            found[t.alert_id] = replace(known, ended_at_ms=t.at_ms)
        elif t.severity.rank > known.severity.rank:
            found[t.alert_id] = replace(known, severity=t.severity, rule=t.rule)
    return list(found.values())


def _raised(t: Transition) -> Episode:
    return Episode(
        t.alert_id, t.slo, t.kind, t.objective, t.group, t.severity, t.rule, t.raised_at_ms
    )


def _pages(outcome: Outcome, slo: str) -> int:
    """How often an alert became a page."""
    return sum(
        t.slo == slo
        and not t.early
        and t.severity is Severity.PAGE
        and t.state in (AlertState.RAISED, AlertState.ESCALATED)
        for t in outcome.transitions
    )


def _only(ours: Iterable[Episode], theirs: Iterable[Episode]) -> list[Episode]:
    tracks: Mapping[Track, list[Episode]] = defaultdict(list)
    for episode in theirs:
        tracks[episode.track].append(episode)
    return [episode for episode in ours if not _overlaps(episode, tracks.get(episode.track, ()))]


def _overlaps(episode: Episode, others: Sequence[Episode]) -> bool:
    """Whether one of the others, which follow one another, is open while `episode` is."""
    before_end = bisect_left(others, _end(episode), key=lambda other: other.raised_at_ms)
    return before_end > 0 and _end(others[before_end - 1]) > episode.raised_at_ms


def _end(episode: Episode) -> float:
    return inf if episode.ended_at_ms is None else episode.ended_at_ms


def _budgets(tried: Iterable[Status], against: Iterable[Status], slo: str) -> Iterable[BudgetPair]:
    ours = {(s.objective, s.group): s.remaining_ratio for s in tried if s.slo == slo}
    theirs = {(s.objective, s.group): s.remaining_ratio for s in against if s.slo == slo}
    for key in sorted({*ours, *theirs}):
        yield BudgetPair(*key, ours.get(key), theirs.get(key))
