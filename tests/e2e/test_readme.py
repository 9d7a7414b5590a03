"""«Against your own Kafka» in the README, typed as it stands, but for addresses and names."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.kafka import KafkaBroker
from tests.services.requirements import need_program

ROOT = Path(__file__).resolve().parents[2]
SECTION = "## Against your own Kafka"
WITHIN_S = 240
LOOK_AGAIN = """
until servicelevel status | grep -q '75.000 %' \\
  && [ "$(servicelevel alerts --format ndjson | grep -c '"early":false')" = 2 ]; do sleep 1; done
"""


def typed(own_names: dict[str, str]) -> str:
    """The section's commands, without the installation, as one script."""
    text = (ROOT / "README.md").read_text("utf-8").partition(SECTION)[2].partition("\n## ")[0]
    install, *steps = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert "pip install ." in install
    script = "\n".join(steps)
    for name, own in {**own_names, "sleep 45": LOOK_AGAIN}.items():
        assert name in script
        script = script.replace(name, own)
    return "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + script


@pytest.mark.real
def test_the_commands_of_the_readme_do_what_it_says(
    kafka: KafkaBroker,
    redis_url: str,
    topic_prefix: str,
    program: Callable[[str], str],
    tmp_path: Path,
) -> None:
    kcat = Path(program("kcat")).parent
    script = typed(
        {
            "127.0.0.1:9092": kafka.address,
            "redis://127.0.0.1:6379/0": redis_url,
            "GROUP=try": f"GROUP={topic_prefix.rstrip('.')}",
            "try.": topic_prefix,
        }
    )
    done = subprocess.run(
        [need_program("bash"), "-e", "-u", "-o", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{kcat}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr + done.stdout + (tmp_path / "run.log").read_text()
    lines = done.stdout.splitlines()
    assert lines[0] == "valid: 1 SLOs, 1 objectives"
    assert "the topics are fine" in lines
    assert not [line for line in lines if line.startswith(("!!", "--"))]
    assert "-2400.0 %" in done.stdout
    early, confirmed = (json.loads(line) for line in lines if line.startswith("{"))
    assert (early["data"]["early"], confirmed["data"]["early"]) == (True, False)
    assert early["data"]["alert_id"] == confirmed["data"]["alert_id"]
    assert (confirmed["data"]["severity"], confirmed["data"]["rule"]) == ("page", "1h/5m")
    assert '"event": "worker stopped"' in (tmp_path / "run.log").read_text()
