"""What deploy/ says fits the package: settings exist, nothing runs as root, nothing floats."""

import re
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from servicelevel.errors import RestartRequiredError, StreamError, UsageError
from servicelevel.settings import Settings
from servicelevel.settings_file import load_settings

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
PREFIX = str(Settings.model_config["env_prefix"])
KNOWN = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
SECRET = re.compile(r"(password|secret|token|api_?key)\b.*[=:]\s*\S", re.IGNORECASE)
DEPLOYED = sorted(
    path for path in DEPLOY.rglob("*") if path.is_file() and path.parent.name != "requirements"
)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (DEPLOY / "compose.yaml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The instructions, continuation lines joined."""
    text = (DEPLOY / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_every_setting_named_exists(path: Path) -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", path.read_text()))
    assert named <= KNOWN


@pytest.mark.parametrize("path", DEPLOYED, ids=lambda path: path.name)
def test_no_secret_is_written_down(path: Path) -> None:
    assert not [line for line in path.read_text().splitlines() if SECRET.search(line)]


def test_image_does_not_run_as_root(dockerfile: list[tuple[str, str]]) -> None:
    last_stage = max(i for i, (word, _) in enumerate(dockerfile) if word == "FROM")
    users = [rest for word, rest in dockerfile[last_stage:] if word == "USER"]
    assert users
    assert int(users[-1]) > 0


def test_image_tells_its_health(dockerfile: list[tuple[str, str]]) -> None:
    assert [rest for word, rest in dockerfile if word == "HEALTHCHECK"]


def test_images_name_a_version(dockerfile: list[tuple[str, str]], compose: dict[str, Any]) -> None:
    images = [rest.split()[0] for word, rest in dockerfile if word == "FROM"]
    images += [service["image"] for service in compose["services"].values()]
    for image in images:
        _, _, tag = image.partition(":")
        assert tag not in ("", "latest"), image


def test_files_copied_into_the_image_exist(dockerfile: list[tuple[str, str]]) -> None:
    sources = [
        source
        for word, rest in dockerfile
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    assert sources
    assert not [source for source in sources if not (DEPLOY.parent / source).exists()]


@pytest.mark.parametrize("name", ["topics-create", "worker"])
def test_our_containers_have_no_privileges(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_worker_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, needed in services["worker"]["depends_on"].items():
        if needed["condition"] == "service_healthy":
            assert services[name]["healthcheck"]["test"]
    assert services["worker"]["healthcheck"]["test"]


def test_environment_of_the_container_is_settings(compose: dict[str, Any]) -> None:
    settings = load_settings(compose["services"]["worker"]["environment"])
    assert settings.brokers == "kafka:9092"
    assert settings.definitions == (Path("/etc/servicelevel/definitions"),)


def test_environment_file_of_the_service_is_settings() -> None:
    lines = (DEPLOY / "systemd" / "servicelevel.env").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert load_settings(given).definitions == (Path("/etc/servicelevel/definitions"),)


@pytest.fixture(scope="module")
def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # documented so
    parser.read(DEPLOY / "systemd" / "servicelevel.service")
    return parser


def test_service_starts_anew_by_the_exit_codes_of_the_package(unit: RawConfigParser) -> None:
    service = unit["Service"]
    forced = {str(RestartRequiredError.exit_code), "SIGHUP"}
    assert set(service["RestartForceExitStatus"].split()) == forced
    final = {str(UsageError.exit_code), str(StreamError.exit_code)}
    assert set(service["RestartPreventExitStatus"].split()) == final


def test_service_reloads_by_the_signal_that_a_worker_knows(unit: RawConfigParser) -> None:
    assert unit["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_service_is_confined(unit: RawConfigParser) -> None:
    service = unit["Service"]
    assert service["DynamicUser"] == "yes"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
