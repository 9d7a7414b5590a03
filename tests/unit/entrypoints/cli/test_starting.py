"""`init` writes definitions that can be evaluated, and never over a file."""

from pathlib import Path

import pytest

from servicelevel.adapters.files.definitions import load_definitions
from tests.builders.cli import Outside, servicelevel

LONGEST = "a" * 49


@pytest.mark.parametrize("service", ["checkout", "on", "123", LONGEST])
def test_what_is_written_can_be_evaluated(service: str, tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    done = servicelevel(Outside(), "init", service, "--output", str(file))
    checked = servicelevel(Outside(), "validate", "--complete", str(file))

    assert done.code == 0
    assert str(file) in done.out
    assert (checked.code, checked.out) == (0, "valid: 3 SLOs, 4 objectives\n")
    loaded = load_definitions([file])
    assert not loaded.findings
    assert not loaded.unsupported
    assert {slo.service for slo in loaded.catalogue.slos.values()} == {service}
    assert set(loaded.catalogue.slos) == {
        f"{service}-{name}" for name in ("availability", "response-time", "throughput")
    }


def test_every_slo_of_it_warns(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    servicelevel(Outside(), "init", "checkout", "--output", str(file))
    for slo in load_definitions([file]).catalogue.slos.values():
        assert all(objective.rules for objective in slo.objectives)


def test_without_a_file_it_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    servicelevel(Outside(), "init", "checkout", "--output", str(file))
    assert servicelevel(Outside(), "init", "checkout").out == file.read_text()


def test_a_file_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    file.write_text("mine")
    done = servicelevel(Outside(), "init", "checkout", "--output", str(file))
    assert done.code == 2
    assert f"{file}: is there already" in done.err
    assert file.read_text() == "mine"


def test_a_folder_that_is_not_there_is_exit_3(tmp_path: Path) -> None:
    file = tmp_path / "none" / "first.yaml"
    done = servicelevel(Outside(), "init", "checkout", "--output", str(file))
    assert done.code == 3
    assert f"{file}: cannot be written" in done.err


@pytest.mark.parametrize("service", ["Checkout", "a b", "-a", "a\nb: c", LONGEST + "a", ""])
def test_what_cannot_name_a_service_is_refused(service: str, tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    done = servicelevel(Outside(), "init", "--output", str(file), "--", service)
    assert done.code == 2
    assert "cannot name a service" in done.err
    assert not file.exists()
