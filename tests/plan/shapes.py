"""Random buffers of every shape the planner knows: ordinary ones, rings, and tensors that die or are born by rows."""

from __future__ import annotations

from hypothesis import strategies as st

from tinygen.plan.model import Buffer, Rect


def box(name: str, lower: int, upper: int, size: int, alignment: int = 1, pinned: int | None = None) -> Buffer:
    return Buffer(name, size, (Rect(lower, upper, 0, size),), alignment=alignment, pinned=pinned)


def ring(name: str, born: int, rows: int, slots: int, row_bytes: int, pace: int, alignment: int = 1) -> Buffer:
    """Row y is written in step born + y * pace into slot y mod slots and lives until its slot is needed again."""
    rects = []
    for y in range(rows):
        slot, step = (y % slots) * row_bytes, born + y * pace
        rects.append(Rect(step, step + slots * pace, slot, slot + row_bytes))
    return Buffer(name, slots * row_bytes, tuple(rects), alignment=alignment)


def staircase(
    name: str, born: int, rows: int, row_bytes: int, pace: int, dies: bool, hold: int, alignment: int = 1
) -> Buffer:
    """A full tensor that is whole at first and dies row by row, or is born row by row and whole at last."""
    rects = []
    for y in range(rows):
        lower = born if dies else born + y * pace
        upper = born + (y + 1) * pace + hold if dies else born + rows * pace + hold
        rects.append(Rect(lower, upper, y * row_bytes, (y + 1) * row_bytes))
    return Buffer(name, rows * row_bytes, tuple(rects), alignment=alignment)


@st.composite
def buffer_sets(draw: st.DrawFn, most: int = 12, largest: int = 40, shapes: bool = True) -> tuple[Buffer, ...]:
    buffers = []
    for index in range(draw(st.integers(0, most))):
        name, born = f"b{index}", draw(st.integers(0, 12))
        alignment = draw(st.sampled_from([1, 1, 2, 4, 16])) if shapes else draw(st.sampled_from([1, 1, 1, 2]))
        kind = draw(st.sampled_from(["box", "ring", "drains", "fills"] if shapes else ["box"]))
        rows, row_bytes, pace = draw(st.integers(1, 6)), draw(st.integers(1, 9)), draw(st.integers(1, 2))
        if kind == "box":
            length, size = draw(st.integers(1, 10)), draw(st.integers(0, largest))
            buffers.append(box(name, born, born + length, size, alignment))
        elif kind == "ring":
            buffers.append(ring(name, born, rows, draw(st.integers(1, rows)), row_bytes, pace, alignment))
        else:
            hold = draw(st.integers(0, 3))
            buffers.append(staircase(name, born, rows, row_bytes, pace, kind == "drains", hold, alignment))
    return tuple(buffers)
