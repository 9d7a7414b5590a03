"""The end of the demo holds what was counted against what was sent."""

from servicelevel.entrypoints.demo.board import Board
from servicelevel.entrypoints.demo.sent import Sent
from servicelevel.entrypoints.demo.story import load_story
from servicelevel.entrypoints.demo.summary import counted, is_exact, summary
from servicelevel.entrypoints.demo.traffic import Request
from servicelevel.schemas.moments import rfc3339_moment
from tests.unit.entrypoints.demo.samples import AT, AT_MS, alert, status

STORY = load_story()


def board(total: int) -> Board:
    """Three requests sent; `total` counted up to a time that is before the last."""
    made = Board()
    for time in (AT_MS - 1, AT_MS, AT_MS + 1):
        made.sent.add(Request(time, "checkout", b""))
    made.status(status(total=total))
    return made


def test_only_what_was_sent_up_to_the_status_must_be_counted() -> None:
    found = counted(board(2), STORY)
    assert [(c.service, c.sent, c.counted) for c in found] == [("checkout", 2, 2)]
    assert is_exact(found)
    assert "counted exactly: 2 of the 2 of the complete panes" in list(summary(board(2), STORY))


def test_difference_is_told_by_service() -> None:
    lines = list(summary(board(1), STORY))
    assert not is_exact(counted(board(1), STORY))
    assert "counted NOT exactly: 1 of the 2 of the complete panes" in lines
    assert "  checkout: 1 of 2" in lines


def test_other_slos_of_a_service_are_not_compared() -> None:
    made = board(2)
    made.status(status("checkout-now", total=0))
    assert is_exact(counted(made, STORY))


def test_demo_that_counted_nothing_yet_says_so() -> None:
    lines = list(summary(Board(), STORY))
    assert "counted: nothing yet; let it run longer" in lines
    assert "first alert: none" in lines


def test_alerts_are_summed_up() -> None:
    made = Board()
    made.transition(alert("1", "raised"), 4.21)
    made.transition(alert("2", "raised", kind="breach"), 6.0)
    made.transition(alert("3", "resolved"), 7.0)
    lines = list(summary(made, STORY))
    assert "first alert: 4.2 s after the start" in lines
    assert "alerts: 2 raised (1 breaches), 1 resolved, 1 open" in lines


def test_every_service_names_the_slo_that_counts_it() -> None:
    assert all(service.counted_by.startswith(name) for name, service in STORY.services.items())


def test_moment_as_epoch_ms() -> None:
    assert rfc3339_moment(AT) == AT_MS


def test_requests_of_an_unknown_service_are_none() -> None:
    assert Sent().up_to("nobody", AT_MS) == 0
