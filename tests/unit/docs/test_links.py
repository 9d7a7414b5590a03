"""Every link within the documentation leads somewhere, and every page is linked to."""

from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, anchors, links, name, pages


def _targets(page: Path) -> list[tuple[str, Path, str]]:
    found = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        found.append((link, (page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link, target, anchor in _targets(page):
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_linked_to() -> None:
    linked = {target for page in pages() for _, target, _ in _targets(page)}
    linked |= {child for folder in linked if folder.is_dir() for child in folder.glob("*.md")}
    alone = [name(page) for page in pages() if page not in linked and page != ROOT / "README.md"]
    assert not alone
