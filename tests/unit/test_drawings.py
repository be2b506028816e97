"""The drawings of docs/rows.md show what is so, and the markers of pages hold."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from docs.drawings import HEIGHT, WINDOW, drawings, order, ring, staircase
from docs.generate import excerpt
from docs.markers import replace_between

SVG = "{http://www.w3.org/2000/svg}"


def _boxes(text: str) -> list[tuple[int, int, int, int, str]]:
    """x0, y0, x1, y1 and colour."""
    found = []
    for rect in ElementTree.fromstring(text).iter(f"{SVG}rect"):
        if rect.get("class") == "box":
            x, y, width, height = (int(rect.get(key, "")) for key in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height, rect.get("fill", "")))
    return found


@pytest.mark.parametrize(("name", "text"), drawings().items(), ids=drawings())
def test_well_formed_and_inside_its_frame(name: str, text: str) -> None:
    root = ElementTree.fromstring(text)
    assert root.get("aria-label")
    width, height = int(root.get("width", "")), int(root.get("height", ""))
    assert all(x1 <= width and y1 <= height for _, _, x1, y1, _ in _boxes(text))


def test_every_row_is_computed_once_and_after_what_it_reads() -> None:
    lanes: dict[int, list[int]] = {}
    for x, y, *_ in sorted(_boxes(order())):
        lanes.setdefault(y, []).append(x)
    conv, depthwise, pool = (lanes[y] for y in sorted(lanes))
    assert (len(conv), len(depthwise), len(pool)) == (HEIGHT, HEIGHT, HEIGHT // 2)
    assert all(conv[row] < x for y, x in enumerate(depthwise) for row in WINDOW.rows(y, HEIGHT))
    assert all(depthwise[row] < x for y, x in enumerate(pool) for row in (2 * y, 2 * y + 1))


@pytest.mark.parametrize("text", [ring(), staircase()], ids=["ring", "staircase"])
def test_nothing_overlaps(text: str) -> None:
    boxes = _boxes(text)
    for i, (ax0, ay0, ax1, ay1, _) in enumerate(boxes):
        for bx0, by0, bx1, by1, _ in boxes[:i]:
            assert ax1 <= bx0 or bx1 <= ax0 or ay1 <= by0 or by1 <= ay0


def test_staircases_need_two_rows_more_than_the_input() -> None:
    assert "as staircases: 10 rows" in staircase()


def test_only_what_is_between_the_markers_is_replaced() -> None:
    page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    assert replace_between(page, "x", r"new \1") == page.replace("old", r"new \1")
    with pytest.raises(ValueError, match="must be there once"):
        replace_between(page, "y", "")


def test_excerpts_are_whole_functions() -> None:
    source = (
        "/* other */\nint x;\n\n/* About f. */\nstatic int done;\n\nstatic void f(int a)\n{\n    g();\n}\n\nint y;\n"
    )
    assert excerpt(source, "f") == "/* About f. */\nstatic int done;\n\nstatic void f(int a)\n{\n    g();\n}"
    with pytest.raises(ValueError, match=re.escape("the generated C has no g")):
        excerpt(source, "g")
