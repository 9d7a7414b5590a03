"""The how-to on events of one's own shape shows what the command prints."""

import contextlib
import re
from pathlib import Path

import yaml

from servicelevel.adapters.files.mapping import shipped_mappings
from tests.builders.cli import Outside, servicelevel
from tests.unit.docs.pages import ROOT, blocks

HOW_TO = ROOT / "docs" / "how-to" / "own-events.md"
EVENTS = ROOT / "docs" / "reference" / "events.md"
_WRITTEN = re.compile(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


def test_the_how_to_prints_what_it_says(tmp_path: Path) -> None:
    for file, _, text in _WRITTEN.findall(HOW_TO.read_text("utf-8")):
        (tmp_path / file).write_text(text)
    (shown,) = [text for language, text in blocks(HOW_TO) if language == "text"]
    with contextlib.chdir(tmp_path):
        done = servicelevel(
            Outside(), "mapping", "try", "--mapping", "my-proxy.yaml", "sample.ndjson"
        )
    assert (done.code, done.out) == (1, shown)


def test_envoys_log_format_is_that_of_the_mapping() -> None:
    (shown,) = [text for _, text in blocks(EVENTS) if text.startswith("access_log:")]
    comment = "\n".join(re.findall(r"^# {3}(.*)", shipped_mappings()["envoy"], re.MULTILINE))
    assert yaml.safe_load(shown) == yaml.safe_load(comment)
