"""The generated pages of docs/ are those the code gives now, and links between files lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import DOCS, pages

ROOT = DOCS.parent
MARKDOWN = sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").glob("*.md")))


@pytest.mark.parametrize(("name", "content"), pages().items(), ids=pages())
def test_generated_pages_are_up_to_date(name: str, content: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == content, "run make docs"


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert not [link for link in local if not (page.parent / link).exists()]


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    found = {str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md")} - {"README.md"}
    assert not {page for page in found if f"]({page})" not in index}
