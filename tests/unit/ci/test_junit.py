"""The check on test reports lets no skipped, failed or missing test pass."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / ".ci" / "junit.py"


def check(tmp_path: Path, attributes: str, least: int) -> int:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
    argv = [sys.executable, str(PROGRAM), str(report), str(least)]
    return subprocess.run(argv, capture_output=True, check=False).returncode


def test_a_clean_report_passes(tmp_path: Path) -> None:
    assert check(tmp_path, 'tests="5" failures="0" errors="0" skipped="0"', 5) == 0


@pytest.mark.parametrize(
    "attributes",
    [
        'tests="4" failures="0" errors="0" skipped="0"',
        'tests="6" failures="1" errors="0" skipped="0"',
        'tests="6" failures="0" errors="1" skipped="0"',
        'tests="6" failures="0" errors="0" skipped="1"',
    ],
    ids=["too few", "failure", "error", "skipped"],
)
def test_anything_else_fails(tmp_path: Path, attributes: str) -> None:
    assert check(tmp_path, attributes, 5) == 1
