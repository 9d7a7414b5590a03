"""Settings: where each comes from, and what is said of one that cannot be used."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from servicelevel.errors import SettingsError
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings


def test_options_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text('brokers = "file:1"\ngroup = "file"\ntopic_prefix = "file."\npartitions = 3\n')
    settings = load_settings(
        {"SERVICELEVEL_BROKERS": "env:1", "SERVICELEVEL_GROUP": "env"},
        file,
        {"brokers": "option:1", "topic_prefix": None},
    )

    assert settings.brokers == "option:1"
    assert settings.group == "env"
    assert settings.topic_prefix == "file."
    assert settings.partitions == 3
    assert settings.flush_interval_ms == Settings.model_fields["flush_interval_ms"].default


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("group: night\n")
    assert load_settings({"SERVICELEVEL_SETTINGS": str(file)}).group == "night"


def test_lists_are_comma_separated_in_the_environment() -> None:
    settings = load_settings(
        {
            "SERVICELEVEL_REQUEST_TOPICS": "requests, nginx",
            "SERVICELEVEL_DEFINITIONS": "slos/a.yaml,slos/b",
            "SERVICELEVEL_MAPPINGS": "nginx=maps/nginx.yaml",
        }
    )
    assert settings.request_topics == ("requests", "nginx")
    assert settings.definitions == (Path("slos/a.yaml"), Path("slos/b"))
    assert settings.mappings == {"nginx": Path("maps/nginx.yaml")}


def test_paths_in_a_file_start_at_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("definitions: [slos]\nrequest_topics: [nginx]\nmappings: {nginx: m.yaml}\n")
    settings = load_settings({}, file)
    assert settings.definitions == (tmp_path / "slos",)
    assert settings.mappings == {"nginx": tmp_path / "m.yaml"}


def test_a_secret_can_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "redis"
    secret.write_text("redis://:hush@redis:6379/0\n")
    settings = load_settings({"SERVICELEVEL_REDIS_URL_FILE": str(secret)})

    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://:hush@redis:6379/0"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.toml", "brokerz = 'a:1'", "brokerz: there is no such setting; is it brokers?"),
        ("s.toml", "partitions = 0", "partitions: Input should be greater than or equal to 1"),
        ("s.toml", "= 1", "Invalid"),
        ("s.yaml", "a: [", "while parsing"),
        ("s.yaml", "- a", "must be keys and values"),
        ("s.ini", "a=1", "name it .toml, .yaml or .yml"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_settings({}, file)
    assert str(error.value).startswith(str(file))
    assert said in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read"):
        load_settings({}, tmp_path / "none.toml")


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^SERVICELEVEL_PARTITIONS: Input should be"):
        load_settings({"SERVICELEVEL_PARTITIONS": "many"})


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("SERVICELEVEL_BROKER", "SERVICELEVEL_BROKER: there is no such setting; is it BROKERS?"),
        ("SERVICELEVEL_ALLOWED_LATENES", "is it ALLOWED_LATENESS_MS?"),
        ("SERVICELEVEL_SASL_PASWORD_FILE", "is it SASL_PASSWORD_FILE?"),
        ("SERVICELEVEL_BROKERS_FILE", "is it BROKERS?"),
        ("SERVICELEVEL_SETTING", "is it SETTINGS?"),
        ("SERVICELEVEL_", "SERVICELEVEL_: there is no such setting"),
    ],
)
def test_a_variable_of_no_setting_is_refused_with_the_nearest(variable: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({"SERVICELEVEL_GROUP": "g", variable: "hush"})
    assert said in str(error.value)
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    "variable",
    [
        *("SERVICELEVEL_WORKER", "SERVICELEVEL_KAFKA_LIBS", "SERVICELEVEL_TESTS_REQUIRE_ALL"),
        *("SERVICELEVEL_PORT", "SERVICELEVEL_SERVICE_HOST", "SERVICELEVEL_WEB_SERVICE_PORT_HTTP"),
        *("SERVICELEVEL_PORT_80_TCP", "SERVICELEVEL_WEB_PORT_80_TCP_ADDR", "SERVICELEVELS"),
    ],
)
def test_variables_of_others_are_left_alone(variable: str) -> None:
    assert load_settings({variable: "1"}) == Settings()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"brokers": "kafka"}, "brokers: write `host:port`"),
        ({"brokers": ""}, "brokers: write `host:port`"),
        ({"topic_prefix": "a/b"}, "topic_prefix: a prefix has"),
        ({"request_topics": ()}, "request_topics: "),
        ({"request_topics": ("a b",)}, "request_topics: a topic's name"),
        ({"redis_url": "localhost:6379"}, "redis_url: write `redis://"),
        ({"security_protocol": "SASL_SSL"}, "sasl_username: needed with"),
        ({"sasl_username": "me"}, "sasl_username: set, but"),
        ({"ssl_cafile": "ca.pem"}, "ssl_cafile: set, but"),
        ({"security_protocol": "SSL", "ssl_cafile": "no/ca.pem"}, "ssl_cafile: there is no file"),
        ({"mappings": {"nginx": "m.yaml"}}, "`nginx` is not a source topic"),
    ],
)
def test_what_does_not_agree_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({}, options=options)
    assert said in str(error.value)


def test_a_refused_secret_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings({}, options={"redis_url": "hush"})
    assert "hush" not in str(error.value)


@pytest.mark.parametrize("brokers", ["a:1", "a.b:9092, c:9093", "[::1]:9092", "127.0.0.1:9092"])
def test_brokers_are_hosts_with_ports(brokers: str) -> None:
    assert load_settings({}, options={"brokers": brokers}).brokers == brokers


def test_only_the_environment_that_is_given_is_read() -> None:
    program = (
        "from servicelevel.settings_file import load_settings as load\n"
        "import os\n"
        "print(load({}).group, load(os.environ).group)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "SERVICELEVEL_GROUP": "ambient"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["servicelevel", "ambient"]
