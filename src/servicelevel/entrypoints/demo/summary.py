"""The end of the demo: what was sent against what was counted, and what was told."""

from collections.abc import Iterator
from dataclasses import dataclass

from servicelevel.entrypoints.demo.board import Board
from servicelevel.entrypoints.demo.story import Story
from servicelevel.schemas.moments import rfc3339_moment


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests of a service up to `at_ms`: how many were sent, how many the evaluator counted."""

    service: str
    at_ms: int
    sent: int
    counted: int


def counted(board: Board, story: Story) -> list[Counted]:
    """One per service that has a status of the SLO that counts all of its requests.

    That SLO's window is longer than the history, so its total must be all there ever was.
    """
    found = []
    by_slo = {status.slo: status for status in board.statuses.values()}
    for name, service in story.services.items():
        if (status := by_slo.get(service.counted_by)) is not None:
            at_ms = rfc3339_moment(status.at)
            found.append(Counted(name, at_ms, board.sent.up_to(name, at_ms), status.total))
    return found


def is_exact(services: list[Counted]) -> bool:
    """Whether everything sent was counted, once."""
    return all(each.sent == each.counted for each in services)


def summary(board: Board, story: Story) -> Iterator[str]:
    """The lines to end with."""
    yield f"requests sent: {board.sent.total():,}"
    services = counted(board, story)
    if not services:
        yield "counted: nothing yet; let it run longer"
    else:
        sent = sum(each.sent for each in services)
        total = sum(each.counted for each in services)
        verdict = "exactly" if is_exact(services) else "NOT exactly"
        yield f"counted {verdict}: {total:,} of the {sent:,} of the complete panes"
    for each in services:
        if each.sent != each.counted:
            yield f"  {each.service}: {each.counted:,} of {each.sent:,}"
    first = (
        "none" if board.first_alert_s is None else f"{board.first_alert_s:.1f} s after the start"
    )
    yield f"first alert: {first}"
    yield (
        f"alerts: {board.raised} raised ({board.breaches} breaches), {board.resolved} resolved, "
        f"{len(board.open)} open"
    )
