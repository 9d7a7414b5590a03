"""Prints what `replay --against` found."""

from collections.abc import Iterator, Sequence
from typing import Any

from servicelevel.application.compare import Both, Episode, SloDifference, total
from servicelevel.entrypoints.cli.printing import Format, print_json
from servicelevel.entrypoints.cli.session import Session
from servicelevel.schemas.moments import rfc3339


def print_comparison(
    session: Session, found: Sequence[SloDifference], tried: str, against: str, form: Format
) -> None:
    """Print as sentences, or an object for each SLO."""
    if form is Format.TEXT:
        for line in _text(found, tried, against):
            session.print(line)
    else:
        print_json(session, map(_plain, found), form)


def _text(found: Sequence[SloDifference], tried: str, against: str) -> Iterator[str]:
    pages, alerts = total(found)
    yield f"{tried} against {against}"
    yield f"would have paged {_times(pages)}; {_alerts(alerts)}"
    for each in found:
        yield f"\n{each.slo}"
        yield f"  would have paged {_times(each.pages)}; {_alerts(each.alerts)}"
        for name, episodes in ((tried, each.only_tried), (against, each.only_against)):
            if episodes:
                yield f"  alerts only with {name}:"
                yield from (f"    {_episode(episode)}" for episode in episodes)
        for budget in each.budgets:
            whose = "/".join(filter(None, (budget.objective, budget.group)))
            left, instead = _percent(budget.tried), _percent(budget.against)
            yield (
                f"  budget left of {whose}: {left}"
                + ("" if left == instead else f" instead of {instead}")
            )


def _times(both: Both) -> str:
    if both.tried == both.against:
        return f"{_count(both.tried)} with both"
    return f"{_count(both.tried)} instead of {both.against}"


def _count(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _alerts(both: Both) -> str:
    if both.tried == both.against:
        return f"alerts: {both.tried} with both"
    return f"alerts: {both.tried} instead of {both.against}"


def _episode(episode: Episode) -> str:
    whose = "/".join(filter(None, (episode.objective, episode.group)))
    end = "still open" if episode.ended_at_ms is None else f"to {rfc3339(episode.ended_at_ms)}"
    return (
        f"{episode.kind} {episode.rule} ({episode.severity}) of {whose}: "
        f"{rfc3339(episode.raised_at_ms)} {end}"
    )


def _percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio * 100:.1f} %"


def _plain(each: SloDifference) -> dict[str, Any]:
    return {
        "slo": each.slo,
        "pages": each.pages._asdict(),
        "alerts": each.alerts._asdict(),
        "only_tried": [_plain_episode(episode) for episode in each.only_tried],
        "only_against": [_plain_episode(episode) for episode in each.only_against],
        "budget_remaining": [
            {"objective": b.objective, "group": b.group, "tried": b.tried, "against": b.against}
            for b in each.budgets
        ],
    }


def _plain_episode(episode: Episode) -> dict[str, Any]:
    ended = episode.ended_at_ms
    return {
        "alert_id": episode.alert_id,
        "kind": episode.kind,
        "objective": episode.objective,
        "group": episode.group,
        "severity": episode.severity,
        "rule": episode.rule,
        "raised_at": rfc3339(episode.raised_at_ms),
        "ended_at": None if ended is None else rfc3339(ended),
    }
