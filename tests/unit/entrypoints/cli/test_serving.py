"""`status` and `alerts` print what the copy has."""

import orjson

from servicelevel.domain.outputs import AlertState
from servicelevel.domain.time import MINUTE_MS
from servicelevel.errors import DependencyError
from tests.builders.cli import NOW, Outside, servicelevel
from tests.builders.outputs import AT, status, transition


def test_status_is_a_table() -> None:
    outside = Outside(outputs=[status(), status(slo="search", group="region=eu", sli=None)])
    done = servicelevel(outside, "status")

    assert done.code == 0
    first, second = done.out.splitlines()[1:3]
    assert "checkout-availability" in first
    assert "98.000 %" in first
    assert "99.900 %" in first
    assert "warning (page)" in first
    assert "1h:20" in first
    assert "search" in second
    assert "region=eu" in second


def test_status_as_json_is_the_data_of_the_events() -> None:
    outside = Outside(outputs=[status(slo="a"), status(slo="b")])

    as_json = orjson.loads(servicelevel(outside, "status", "--format", "json").out)
    lines = servicelevel(outside, "status", "--format", "ndjson").out.splitlines()

    assert [item["slo"] for item in as_json] == ["a", "b"]
    assert [orjson.loads(line) for line in lines] == as_json


def test_status_of_one_slo_or_service() -> None:
    outside = Outside(outputs=[status(slo="a", service="x"), status(slo="b", service="y")])
    for options in (("--slo", "b"), ("--service", "y")):
        done = servicelevel(outside, "status", "--format", "ndjson", *options)
        assert [orjson.loads(line)["slo"] for line in done.out.splitlines()] == ["b"]


def test_old_statuses_say_that_something_stalls_and_new_ones_of_no_traffic_do_not() -> None:
    quiet = status(at_ms=NOW - MINUTE_MS, good=0, total=0, sli=None, state="no_data")
    done = servicelevel(Outside(outputs=[quiet]), "status")
    assert "no_data" in done.out
    assert "behind the clock" not in done.out

    old = status(at_ms=NOW - 62 * MINUTE_MS)
    done = servicelevel(Outside(outputs=[old]), "status")
    assert "1 h 2 min 0 s behind the clock" in done.out
    assert "servicelevel doctor" in done.out


def test_no_status_yet_says_what_to_look_at() -> None:
    done = servicelevel(Outside(), "status")
    assert done.code == 0
    assert "servicelevel run" in done.out


def test_alerts_are_the_open_ones_and_on_request_the_history() -> None:
    resolved = transition(state=AlertState.RESOLVED, at_ms=AT + 1)
    outside = Outside(
        outputs=[transition(), resolved, transition(slo="search", alert_id="a2", early=True)]
    )

    open_alerts = servicelevel(outside, "alerts").out.splitlines()[1:]
    history = servicelevel(outside, "alerts", "--history", "9", "--format", "json").out

    assert len(open_alerts) == 1
    assert "search" in open_alerts[0]
    assert "raised (early)" in open_alerts[0]
    assert orjson.loads(history)[0]["state"] == "resolved"
    assert orjson.loads(history)[0]["time"] == "2026-01-01T00:00:00.124Z"


def test_no_alerts_is_said() -> None:
    assert servicelevel(Outside(), "alerts").out == "No open alerts.\n"


def test_a_redis_out_of_reach_is_one_line_and_exit_3() -> None:
    done = servicelevel(Outside(redis_error=DependencyError("Redis is away")), "status")
    assert (done.code, done.out, done.err) == (3, "", "servicelevel: Redis is away\n")
