"""The drawings of docs/rows.md, computed from the windows they show; `make docs` writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tinygen.ir.rows import Window
from tinygen.report.memory_map import COLOURS, WORKING_COLOUR

HEIGHT = 8
"""Rows of the tensors that are drawn."""
WINDOW = Window(size=3, pad=1)
INPUT, OUTPUT, OTHER = COLOURS[0], COLOURS[1], WORKING_COLOUR

_STYLE = """
.d{font:12px system-ui,sans-serif;--ink:#23272e;--soft:#6a717b;--line:#b9bfc7;--mark:#b3261e}
@media (prefers-color-scheme:dark){.d{--ink:#e4e7eb;--soft:#9aa2ad;--line:#4a525d;--mark:#ff8a80}}
.d text{fill:var(--ink)}.d .soft{fill:var(--soft)}.d .in{fill:#1c1f24}
.d .over{paint-order:stroke;stroke-width:4;stroke-linejoin:round}.d .head{font-weight:600}.d .red{fill:var(--mark)}
.d .none{fill:none;stroke:var(--line)}.d .gone{fill:none;stroke:var(--line);stroke-dasharray:3 3}
.d .box{stroke:#23272e;stroke-opacity:.45}.d .arrow{fill:none;stroke:var(--mark);stroke-width:1.5}
.d .window{fill:none;stroke:var(--mark);stroke-width:2}.d .line{stroke:var(--line)}
"""


def drawings() -> dict[str, str]:
    """Every drawing by its path below docs/."""
    return {
        "images/rows_window.svg": window(),
        "images/rows_order.svg": order(),
        "images/rows_ring.svg": ring(),
        "images/rows_staircase.svg": staircase(),
    }


def window() -> str:
    """What is in memory while row 4 of a layer is computed: everything, or three rows and one."""
    y = 4
    read = WINDOW.rows(y, HEIGHT)
    parts = []
    for x, title, rows in ((0, "a layer at a time", False), (400, "a row at a time", True)):
        parts.append(_text(x + 20, 18, title, "head"))
        parts += [_text(x + 75, 42, "input", middle=True), _text(x + 245, 42, "output", middle=True)]
        for row in range(HEIGHT):
            top = 50 + 20 * row
            kept = not rows or row in read
            parts.append(_box(x + 20, top, 110, 18, INPUT if kept else None, "gone" if row < read.start else "none"))
            parts.append(_text(x + 12, top + 13, str(row), "soft", end=True))
            made = row == y or (not rows and row <= y)
            empty = "gone" if rows and row < y else "none"
            parts.append(_box(x + 190, top, 110, 18, OUTPUT if made else None, empty))
        top, bottom = 50 + 20 * read.start - 2, 50 + 20 * read.stop
        parts.append(f'<rect class="window" x="{x + 17}" y="{top}" width="116" height="{bottom - top}" rx="3"/>')
        parts.append(_arrow(x + 135, 50 + 20 * y + 9, x + 186, 50 + 20 * y + 9))
        held = f"in memory: {len(read)} + 1 rows" if rows else f"in memory: {HEIGHT} + {HEIGHT} rows"
        parts.append(_text(x + 160, 230, held, middle=True))
    parts.append(_text(400 + 310, 64, "dashed: no longer needed", "soft"))
    parts.append(_text(400 + 310, 190, "empty: not there yet", "soft"))
    return _svg(880, 244, "Rows in memory while row 4 is computed: 16 layer by layer, 4 row by row", parts)


def order() -> str:
    """The order in which two 3x3 layers and a 2x2 pooling compute their rows when the pooling pulls."""
    layers = (("conv 3x3", WINDOW), ("depthwise 3x3", WINDOW), ("max pool 2x2", Window(size=2, stride=2)))
    steps = list(_pull([w for _, w in layers], HEIGHT // 2))
    parts = [_text(122, 18, "time \u2192", "soft")]
    for layer, (name, _) in enumerate(layers):
        y = 30 + 34 * layer
        parts.append(_text(112, y + 18, name, end=True))
        parts.append(f'<line class="line" x1="122" x2="{122 + 34 * len(steps)}" y1="{y + 30}" y2="{y + 30}"/>')
    for time, (layer, row) in enumerate(steps):
        x, y = 122 + 34 * time, 30 + 34 * layer
        parts.append(_box(x + 2, y, 30, 26, COLOURS[layer + 1]))
        parts.append(_text(x + 17, y + 17, str(row), "in", middle=True))
    return _svg(132 + 34 * len(steps), 140, "Rows of three layers in the order of their computation", parts)


def _pull(windows: Sequence[Window], rows: int) -> Iterator[tuple[int, int]]:
    """(layer, row) in the order in which rows pulled from the last layer are computed; see schedule/pull.py."""
    done = [0] * len(windows)

    def bring(layer: int, end: int) -> Iterator[tuple[int, int]]:
        while done[layer] < end:
            row = done[layer]
            if layer:
                yield from bring(layer - 1, windows[layer].end(row, HEIGHT))
            done[layer] += 1
            yield layer, row

    yield from bring(len(windows) - 1, rows)


def ring() -> str:
    """A ring over time: three slots with a hole that wanders, or two and a landing slot that others use too."""
    rounds, left, width, height = 6, 112, 30, 26
    end = 4 * rounds
    landing, slots = 154, (154 + 2 * height + 12, 154 + height + 12)
    parts = [_text(left, 18, "three slots", "head"), _text(left, 144, "two slots and a landing slot", "head")]
    parts += [_text(left - 10, 44 + height * slot, f"slot {slot}", end=True) for slot in range(3)]
    parts += [_text(left - 10, top + 16, f"slot {slot}", end=True) for slot, top in enumerate(slots)]
    parts.append(_text(left - 10, landing + 16, "landing slot", end=True))

    def life(top: int, start: int, stop: int, label: str, colour: str = COLOURS[2]) -> None:
        x, span = left + width * start, width * (min(stop, end) - start)
        if span > 0:
            parts.append(_box(x, top, span, height - 2, colour))
            parts.append(_text(x + span // 2, top + 16, label, "in", middle=True))

    # A round of four steps: the layer writes row y, its reader reads rows y - 2 to y, and two steps of other layers.
    for y in range(rounds):
        written, read, dead = 4 * y, 4 * y + 2 if y else 0, 4 * (y + 2) + 2
        life(28 + height * (y % 3), written, dead, f"row {y}")
        life(landing, written, read, str(y))
        life(landing, read or 1, written + 4, "others", OTHER)
        life(slots[y % 2], read, dead, f"row {y}")
        if y:
            x = left + width * read
            parts.append(_arrow(x - 8, landing + height - 3, x + 5, slots[y % 2] + 5))
    bottom = slots[0] + height
    for step in range(end):
        name = "\u00b7" if step % 4 > 1 or step == 1 else "WR"[step % 4]
        parts.append(_text(left + width * step + width // 2, bottom + 14, name, "soft", middle=True))
    legend = "W: the layer writes a row; R: its reader reads three; \u00b7: other layers"
    parts.append(_text(left, bottom + 36, legend, "soft"))
    right = left + width * end
    parts.append(_text(right, bottom + 36, "arrows: the newest row is copied over the oldest", "red", end=True))
    return _svg(right + 12, bottom + 46, "The rows of a ring over time", parts)


def staircase() -> str:
    """An input drains while the output moves in below it: ten rows of memory instead of sixteen."""
    distance = next(d for d in range(HEIGHT + 1) if not _overlap(d))
    unit_x, unit_y, left = 30, 14, 60
    parts = []
    for x, title, base, stairs in ((left, "as boxes", HEIGHT, False), (left + 380, "as staircases", distance, True)):
        bottom = 40 + unit_y * 2 * HEIGHT
        parts.append(_text(x, 22, f"{title}: {base + HEIGHT} rows", "head"))
        for row in range(HEIGHT):
            dead = max(y for y in range(HEIGHT) if row in WINDOW.rows(y, HEIGHT)) + 1 if stairs else HEIGHT
            born = row if stairs else 0
            top = bottom - unit_y * (base + row + 1)
            parts.append(_box(x, top, unit_x * dead, unit_y, INPUT))
            top = bottom - unit_y * (row + 1)
            parts.append(_box(x + unit_x * born, top, unit_x * (HEIGHT - born), unit_y, OUTPUT))
        parts.append(_label(x + 60, bottom - unit_y * (base + 4) - 3, "input", INPUT))
        parts.append(_label(x + unit_x * HEIGHT - 50, bottom - unit_y * 3 - 3, "output", OUTPUT))
        top = bottom - unit_y * (base + HEIGHT)
        parts.append(f'<line class="arrow" x1="{x}" x2="{x + unit_x * HEIGHT}" y1="{top}" y2="{top}"/>')
        parts.append(_text(x + unit_x * HEIGHT, bottom + 18, "time: the layer's rows \u2192", "soft", end=True))
    parts.append(
        '<text class="soft" text-anchor="middle" transform="translate(44 152) rotate(-90)">address \u2192</text>'
    )
    return _svg(700, 292, "An input and an output as boxes and as staircases", parts)


def _overlap(distance: int) -> bool:
    """An output row is written where an input row still lies that starts `distance` rows higher than the output."""
    return any(
        row + distance == y and any(row in WINDOW.rows(later, HEIGHT) for later in range(y, HEIGHT))
        for y in range(HEIGHT)
        for row in range(HEIGHT)
    )


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="d" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{escape(label)}"><style>{_STYLE}</style>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>'
    )
    return "\n".join((head, *parts, "</svg>")) + "\n"


def _box(x: int, y: int, width: int, height: int, fill: str | None, empty: str = "none") -> str:
    look = f'class="box" fill="{fill}"' if fill else f'class="{empty}"'
    return f'<rect {look} x="{x}" y="{y}" width="{width}" height="{height}"/>'


def _text(x: int, y: int, text: str, style: str = "", *, middle: bool = False, end: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ' text-anchor="end"' if end else ""
    return f'<text x="{x}" y="{y}" class="{style}"{anchor}>{escape(text)}</text>'


def _label(x: int, y: int, text: str, ground: str) -> str:
    """Text on boxes of one colour, over the lines between them."""
    return f'<text x="{x}" y="{y}" class="in over" stroke="{ground}" text-anchor="middle">{escape(text)}</text>'


def _arrow(x0: int, y0: int, x1: int, y1: int) -> str:
    return f'<path class="arrow" d="M{x0} {y0}L{x1} {y1}" marker-end="url(#tip)"/>'
