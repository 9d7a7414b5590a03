"""The tests that the documentation names are there, and its lists are whole."""

import re
from pathlib import Path

from servicelevel.errors import ServiceLevelError
from tests.unit.docs.pages import ROOT, pages, prose

TESTS = ROOT / "tests"
_TEST = re.compile(r"\b(test_\w+)\b(?!\.py)")
_FILE = re.compile(r"((?:[\w/]+/)?test_\w+\.py)(?:::(test_\w+))?")


def test_tests_that_are_named_exist() -> None:
    texts = {path.name: path.read_text("utf-8") for path in TESTS.rglob("test_*.py")}
    functions = set(re.findall(r"def (test_\w+)\(", "\n".join(texts.values())))
    for page in pages():
        text = prose(page)
        for file, function in _FILE.findall(text):
            path = TESTS / file.removeprefix("tests/") if "/" in file else None
            assert path is None or path.is_file() or (TESTS / "unit/application" / file).is_file()
            assert Path(file).name in texts, (page, file)
            assert not function or f"def {function}(" in texts[Path(file).name], (page, function)
        assert set(_TEST.findall(text)) <= functions, page


def test_every_exit_code_is_explained() -> None:
    codes = {error.exit_code for error in _all(ServiceLevelError)}
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    table = text.partition("## Exit codes")[2].partition("## ")[0]
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


def _all(error: type[ServiceLevelError]) -> set[type[ServiceLevelError]]:
    return {error}.union(*(_all(leaf) for leaf in error.__subclasses__()))
