"""A short chaos run on Apache Kafka: every kind of fault once, and nothing differs."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.chaos.plan import Kind
from tests.services import kafka as kafka_service
from tests.services.requirements import unavailable

SEED = 1
DONE_S = 900


def test_every_fault_once_and_nothing_differs(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    program("java")
    program("redis-server")
    if reason := kafka_service.missing():
        unavailable(reason)
    command = [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "--minutes", "0"]
    done = subprocess.run(
        [*command, "--into", str(tmp_path / "run")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DONE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["found"] == []
    assert set(summary["steps"]) == {kind.value for kind in Kind}
    assert summary["events"] > 0
    assert summary["alerts"] > 0
    assert summary["rejected"] + summary["repeats"] > 0, "nobody was disturbed"
