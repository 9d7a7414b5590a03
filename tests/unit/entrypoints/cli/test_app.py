"""Options, errors and exit codes of the command as a whole."""

from pathlib import Path

import pytest

from servicelevel import __version__
from servicelevel.errors import RestartRequiredError
from servicelevel.settings import Settings
from tests.builders.cli import Outside, servicelevel


def _settings(outside: Outside) -> Settings:
    found = outside.asked[-1][1]
    assert isinstance(found, Settings)
    return found


def test_options_win_over_environment_and_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("group: file\nbrokers: file:1\npartitions: 9\n")
    outside = Outside(environ={"SERVICELEVEL_BROKERS": "env:1", "SERVICELEVEL_GROUP": "env"})
    done = servicelevel(
        outside,
        *("--settings", str(file), "--brokers", "option:1", "--prefix", "p."),
        *("--redis", "redis://r:1", "--definitions", "a.yaml", "--definitions", "b"),
        *("topics", "check"),
    )

    settings = _settings(outside)
    assert done.code == 0, done.err
    assert (settings.brokers, settings.group, settings.partitions) == ("option:1", "env", 9)
    assert settings.topic_prefix == "p."
    assert settings.definitions == (Path("a.yaml"), Path("b"))
    assert settings.redis_url is not None


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_the_version(arguments: list[str]) -> None:
    done = servicelevel(Outside(), *arguments)
    assert done.code == 0
    assert done.out.split()[-1] == __version__


@pytest.mark.parametrize(
    "arguments", [["no-such"], ["status", "--no-such"], ["run", "--role", "x"], ["validate"], []]
)
def test_wrong_use_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    done = servicelevel(Outside(), *arguments)
    assert done.code == 2
    printed = capsys.readouterr()
    assert printed.out + printed.err
    assert "Traceback" not in printed.err


def test_a_wrong_setting_is_exit_2_and_named() -> None:
    done = servicelevel(Outside(), "--brokers", "kafka", "run")
    assert done.code == 2
    assert done.err == "servicelevel: brokers: write `host:port`, comma-separated\n"


def test_run_gives_role_workers_and_the_exit_code() -> None:
    outside = Outside(on_run=lambda: 5)
    done = servicelevel(outside, "run", "--role", "combiner", "--workers", "3")
    assert done.code == 5
    assert outside.asked[-1][2:] == ("combiner", 3, False)


def test_run_watches_where_it_is_asked_to() -> None:
    outside = Outside()
    servicelevel(outside, "run", "--watch")
    assert outside.asked[-1][2:] == ("all", 1, True)


def test_an_error_of_ours_has_its_exit_code() -> None:
    def end() -> int:
        raise RestartRequiredError("start again")

    done = servicelevel(Outside(on_run=end), "run")
    assert (done.code, done.err) == (75, "servicelevel: start again\n")


def test_ctrl_c_is_quiet() -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    done = servicelevel(Outside(on_run=interrupt), "run")
    assert (done.code, done.err) == (130, "")


def test_a_broken_pipe_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def break_() -> int:
        raise BrokenPipeError(32, "Broken pipe")

    done = servicelevel(Outside(on_run=break_), "run")
    assert done.err + capsys.readouterr().err == ""


def test_demo_is_told_how_long_and_where() -> None:
    outside = Outside()
    done = servicelevel(outside, "demo", "--for", "1m30s", "--broker", "b:1")
    assert (done.code, done.out) == (7, "shown\n")
    assert outside.asked == [("demo", 90.0, "b:1", None)]


def test_a_full_disk_is_one_line() -> None:
    def full() -> int:
        raise OSError(28, "No space left on device")

    done = servicelevel(Outside(on_run=full), "run")
    assert (done.code, done.err) == (3, "servicelevel: [Errno 28] No space left on device\n")


def test_a_mirror_without_redis_is_wrong_use() -> None:
    done = servicelevel(Outside(), "run", "--role", "mirror")
    assert done.code == 2
    assert "SERVICELEVEL_REDIS_URL" in done.err
