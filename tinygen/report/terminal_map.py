"""The memory map in characters: a letter for each tensor, address upwards, time to the right."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from itertools import groupby

from tinygen.plan.live import live_bytes
from tinygen.plan.model import Plan
from tinygen.report.bands import bands
from tinygen.report.memory_map import LANDING, colours, live_by_step
from tinygen.report.timeline import Timeline

Run = tuple[str, str | None]
"""Characters of one background colour, None for the terminal's own."""

_LETTERS = string.ascii_uppercase + string.digits
_WORKING = {"scratch": "-", "accumulator": "+"}
_FREE = " "
_MARGIN = 10
_LEAST_ROWS = 3


def letters(plan: Plan) -> tuple[str, ...]:
    """The character of each buffer; a landing slot's is its ring's in lower case. After 36 tensors they repeat."""
    names = dict.fromkeys(b.name.removesuffix(LANDING) for b in plan.buffers if b.kind not in _WORKING)
    chosen = {name: _LETTERS[n % len(_LETTERS)] for n, name in enumerate(names)}

    def letter(name: str) -> str:
        own = chosen[name.removesuffix(LANDING)]
        return own.lower() if name.endswith(LANDING) else own

    return tuple(_WORKING.get(b.kind) or letter(b.name) for b in plan.buffers)


def terminal_map(
    plan: Plan, when: Timeline | None = None, *, width: int = 100, height: int = 24
) -> Iterator[tuple[Run, ...]]:
    """Lines of `width` characters, `height` of them for the arena; each character is what is at its middle.

    Each of several memories has lines of its own, the lowest address at the bottom, and never less than three.
    """
    live = live_by_step(plan, when)
    steps = len(live)
    if not any(live):
        return
    columns = max(1, min(width - _MARGIN - 1, 4 * steps))
    marks = list(zip(letters(plan), colours(plan), strict=True))
    for band in reversed(bands(plan)):
        rows = height
        if plan.areas:
            rows = max(_LEAST_ROWS, round(height * band.plan.arena_bytes / plan.arena_bytes))
            yield ((f"{band.title}: {band.plan.arena_bytes:,} bytes", None),)
        yield from _plot(band.plan, [marks[i] for i in band.members], steps, columns, rows)
    if when is not None:
        yield ((f"{'layers':>{_MARGIN - 1}}  {_layer_line(when, columns, steps)}".rstrip(), None),)


def _plot(plan: Plan, marks: Sequence[Run], steps: int, columns: int, height: int) -> Iterator[tuple[Run, ...]]:
    """What is in one memory, in at most `height` lines between the peak and the axis."""
    rows = max(1, min(height, plan.arena_bytes))
    cells = _cells(plan, marks, steps, columns, rows)
    live = live_bytes(plan)
    peak = min(columns - 1, (2 * live.index(max(live)) + 1) * columns // (2 * steps))
    yield ((" " * (_MARGIN + 1 + peak) + f"v peak {max(live):,}", None),)
    for row in reversed(range(rows)):
        top = (row + 1) * plan.arena_bytes // rows
        label = f"{top:,}" if row in (rows - 1, rows * 3 // 4 - 1, rows // 2 - 1, rows // 4 - 1) else ""
        runs = [("".join(c for c, _ in cell), colour) for colour, cell in groupby(cells[row], key=lambda cell: cell[1])]
        yield ((f"{label:>{_MARGIN - 1}} |", None), *runs)
    yield ((f"{0:>{_MARGIN - 1}} +{'-' * columns}", None),)


def _cells(plan: Plan, marks: Sequence[Run], steps: int, columns: int, rows: int) -> list[list[Run]]:
    """By row from the bottom and column: the character and the colour."""
    cells: list[list[Run]] = [[(_FREE, None)] * columns for _ in range(rows)]
    for buffer, base, mark in zip(plan.buffers, plan.offsets, marks, strict=True):
        for rect in buffer.rects:
            across = _inside(rect.lower, rect.upper, steps, columns)
            for row in _inside(base + rect.start, base + rect.stop, plan.arena_bytes, rows):
                for column in across:
                    cells[row][column] = mark
    return cells


def _inside(start: int, stop: int, total: int, cells: int) -> range:
    """The cells, of `cells` that `total` is divided into, whose middle (2 i + 1) total / (2 cells) is in the range."""

    def first_from(value: int) -> int:
        return max(0, -(-(2 * value * cells - total) // (2 * total)))

    return range(first_from(start), min(cells, first_from(stop)))


def _layer_line(when: Timeline, columns: int, steps: int) -> str:
    """The shortest names of the stretches, each from where it begins, where there is room."""
    line = ""
    for stretch in when.stretches:
        x, end = stretch.start * columns // steps, stretch.end * columns // steps
        fitting = next((f"|{text}" for text in stretch.labels if len(text) + 1 <= end - x), "|")
        if len(line) <= x:
            line = line.ljust(x) + fitting
    return line[:columns]
