"""docs/fit.md shows what its commands print."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.transcripts import PAGE, rerun
from tests.requirement import require


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    require("zig")
    pytest.importorskip("capstone")
    monkeypatch.chdir(PAGE.parents[1])
    page = Path(PAGE).read_text(encoding="utf-8")
    assert page.count("\n$ tinygen fit ") == 3
    assert rerun(page) == page, "if this is right: python -m docs.transcripts"
