"""`explain` finds the alert in Redis or in a file."""

from pathlib import Path

import orjson
import pytest

from servicelevel.domain.outputs import AlertState
from servicelevel.errors import DependencyError
from servicelevel.schemas.outputs import message
from tests.builders.cli import Outside, servicelevel
from tests.builders.outputs import AT, status, transition

RESOLVED = transition(state=AlertState.RESOLVED, at_ms=AT + 1)


def test_an_alert_of_redis_is_explained_with_what_became_of_it() -> None:
    done = servicelevel(Outside(outputs=[transition(), RESOLVED]), "explain", "a1")

    assert done.code == 0
    assert done.out.startswith("Warning raised (page): checkout-availability\n")
    assert done.out.endswith("  2026-01-01T00:00:00.124Z  resolved (page, rule 1h/5m)\n")


def test_one_transition_can_be_asked_for() -> None:
    done = servicelevel(Outside(outputs=[transition(), RESOLVED]), "explain", RESOLVED.id)
    assert done.out.startswith("Warning resolved (page)")


def test_an_unknown_alert_is_not_fine() -> None:
    done = servicelevel(Outside(outputs=[transition()]), "explain", "b2")
    assert (done.code, done.out) == (1, "")
    assert "no alert `b2` is in the open alerts and the newest 1,000" in done.err


def test_a_redis_out_of_reach_is_exit_3() -> None:
    outside = Outside(redis_error=DependencyError("Redis is away"))
    assert servicelevel(outside, "explain", "a1").code == 3


def test_an_event_of_a_file_needs_no_redis(tmp_path: Path) -> None:
    value = message(transition()).value
    compact, pretty = tmp_path / "compact.json", tmp_path / "pretty.json"
    compact.write_bytes(value)
    pretty.write_bytes(orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2))
    outside = Outside()

    first = servicelevel(outside, "explain", "--file", str(compact))
    second = servicelevel(outside, "explain", "--file", str(pretty))

    assert first.out.startswith("Warning raised (page)")
    assert (first.code, first.out) == (second.code, second.out)
    assert not outside.asked


def test_a_file_of_many_is_explained_one_by_one_or_for_an_alert(tmp_path: Path) -> None:
    file = tmp_path / "warnings.ndjson"
    told = [transition(), transition(alert_id="b2", slo="search"), RESOLVED]
    file.write_bytes(b"\n".join(message(t).value for t in told))

    every = servicelevel(Outside(), "explain", "--file", str(file)).out
    one = servicelevel(Outside(), "explain", "b2", "--file", str(file)).out

    assert [part.split(":")[0] for part in every.split("\n\n")] == [
        "Warning raised (page)",
        "Warning raised (page)",
        "Warning resolved (page)",
    ]
    assert "search" in one
    assert "checkout-availability" not in one


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"nonsense", "Invalid JSON"),
        (b"[]", "is no alert event"),
        (message(transition()).value + b"\n{}", "line 2 is no alert event"),
        (message(status()).value, "`type`"),
    ],
    ids=["empty", "nonsense", "list", "second", "status"],
)
def test_what_is_no_alert_is_wrong_use(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    done = servicelevel(Outside(), "explain", "--file", str(file))
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_neither_alert_nor_file_is_wrong_use() -> None:
    assert servicelevel(Outside(), "explain").code == 2
