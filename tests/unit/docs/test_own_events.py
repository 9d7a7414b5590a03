"""The how-tos on events of other shapes show what the command prints."""

import contextlib
import re
from pathlib import Path

import pytest
import yaml

from servicelevel.adapters.files.mapping import shipped_mappings
from tests.builders.cli import Outside, servicelevel
from tests.unit.docs.pages import ROOT, blocks

HOW_TOS = ROOT / "docs" / "how-to"
EVENTS = ROOT / "docs" / "reference" / "events.md"
_WRITTEN = re.compile(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("page", "mapping", "file", "code"),
    [
        ("own-events.md", "my-proxy.yaml", "sample.ndjson", 1),
        ("opentelemetry.md", "otlp-spans", "export.ndjson", 0),
    ],
)
def test_the_how_to_prints_what_it_says(
    page: str, mapping: str, file: str, code: int, tmp_path: Path
) -> None:
    for name, _, text in _WRITTEN.findall((HOW_TOS / page).read_text("utf-8")):
        (tmp_path / name).write_text(text)
    (shown,) = [text for language, text in blocks(HOW_TOS / page) if language == "text"]
    with contextlib.chdir(tmp_path):
        done = servicelevel(Outside(), "mapping", "try", "--mapping", mapping, file)
    assert (done.code, done.out) == (code, shown)


def test_envoys_log_format_is_that_of_the_mapping() -> None:
    (shown,) = [text for _, text in blocks(EVENTS) if text.startswith("access_log:")]
    comment = "\n".join(re.findall(r"^# {3}(.*)", shipped_mappings()["envoy"], re.MULTILINE))
    assert yaml.safe_load(shown) == yaml.safe_load(comment)
