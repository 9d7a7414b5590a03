from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from servicelevel.adapters.files.definitions import Loaded, load_definitions


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Writes documents (YAML text or values) into one file and loads it."""

    def write(*documents: Any, lenient: bool = False) -> Loaded:
        texts = [d if isinstance(d, str) else yaml.safe_dump(d) for d in documents]
        file = tmp_path / "definitions.yaml"
        file.write_text("---\n".join(texts), encoding="utf-8")
        return load_definitions([file], lenient=lenient)

    return write
