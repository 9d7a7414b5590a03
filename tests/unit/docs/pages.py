"""The pages of the documentation, and what a reader would click on or type."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_HEREDOC = re.compile(r"^cat > (\S+) <<'YAML'\n(.*?)^YAML$", re.MULTILINE | re.DOTALL)
_SHELL = {"|", "&", "&&", ";", ">", "2>", "<"}


class Block(NamedTuple):
    """A fenced block: its language, "" where none is named, and its text."""

    language: str
    text: str


def pages() -> list[Path]:
    """All Markdown files of the root and of `docs/`."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(page: Path) -> str:
    """The page's path from the root."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The page's fenced blocks, in order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text("utf-8"))]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links(page: Path) -> list[str]:
    """What the page links to, without the web."""
    found = _LINK.findall(_CODE.sub("", prose(page)))
    return [link for link in found if not re.match(r"https?://|mailto:", link)]


def anchors(page: Path) -> set[str]:
    """Where within the page one may link to, as GitHub makes it up of headings."""
    plain = (heading.replace("`", "").lower() for heading in _HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-") for text in plain}


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of each `servicelevel …` line in a block of shell commands."""
    for language, text in blocks(page):
        if language == "sh":
            for line in _HEREDOC.sub("", text).splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["servicelevel"]:
                    yield _until_shell(words[1:])


def mentioned_commands(page: Path) -> Iterator[list[str]]:
    """The arguments of each `servicelevel …` in the text."""
    for code in _CODE.findall(prose(page)):
        words = code.split()
        if words[:1] == ["servicelevel"] and words[1:]:
            yield words[1:]


def definitions_to_copy(page: Path) -> dict[str, str]:
    """The files that the page's commands write, by name."""
    shell = "".join(text for language, text in blocks(page) if language == "sh")
    return dict(_HEREDOC.findall(shell))


def _until_shell(words: list[str]) -> list[str]:
    ends = [n for n, word in enumerate(words) if word in _SHELL]
    return words[: min(ends, default=len(words))]
