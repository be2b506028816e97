"""Which rows of which storages the steps of a layer touch: the row model, in storage rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from tinygen.ir.rows import Window
from tinygen.schedule.program import Access, Layer, Program
from tinygen.schedule.steps import Ints
from tinygen.schedule.storages import Storage


@dataclass(frozen=True)
class Shape:
    """All that the storage rows of an access depend on: equal shapes touch equal rows, whatever they belong to."""

    first: int
    pitch: int
    rows: int
    span: int
    window: Window | None
    storage_rows: int
    storage_row_bytes: int

    @property
    def row_by_row(self) -> bool:
        """Each row of the access is in a row of the storage, all of them at the same distance from its start."""
        size = self.storage_row_bytes
        return self.first % size + self.span <= size and (self.rows == 1 or self.pitch % size == 0)

    def end(self, step: int) -> int:
        """One past the last storage row that must be there before a step."""
        end = self.rows if self.window is None else self.window.end(step, self.rows)
        return max(0, -(-(self.first + (end - 1) * self.pitch + self.span) // self.storage_row_bytes))

    def steps(self, rows: int) -> int:
        """How many rows of what is written are needed for the first `rows` of the storage."""
        wanted = -(-(rows * self.storage_row_bytes - self.first) // self.pitch)
        return max(0, min(wanted, self.rows))

    def needed(self, rows: int, steps: int) -> int:
        """How many of the `steps` of whoever writes this are needed for the first `rows` of the storage."""
        return self.steps(rows) if self.window is not None else steps if self.steps(rows) else 0

    def taps(self, step: int) -> list[int]:
        """The storage rows that a step touches."""
        size = self.storage_row_bytes
        touched = range(self.rows) if self.window is None else self.window.rows(step, self.rows)
        starts = (self.first + row * self.pitch for row in touched)
        return [row for start in starts for row in range(start // size, -(-(start + self.span) // size))]


@dataclass(frozen=True)
class Reach:
    """The storage rows of one access."""

    access: Access
    storage: Storage

    @cached_property
    def shape(self) -> Shape:
        a, s = self.access, self.storage
        return Shape(a.first, a.pitch, a.rows, a.span, a.window, s.rows, s.row_bytes)


@dataclass(frozen=True, eq=False)
class Touches:
    """What the steps of a layer touch: by storage and row the last step, and of what is written the first as well."""

    reads: tuple[tuple[int, Ints], ...]
    write: tuple[int, Ints, Ints]


@lru_cache(maxsize=1024)
def touched(shape: Shape, steps: int) -> tuple[Ints, Ints]:
    """For each storage row the first and the last of so many steps that touch it, -1 where none does.

    Networks repeat themselves, so most layers share the result, which is not to be written to.
    """
    first, last = np.full(shape.storage_rows, -1), np.full(shape.storage_rows, -1)
    if shape.window is None:
        rows = shape.taps(0)
        first[rows], last[rows] = 0, steps - 1
    else:
        taps = [shape.taps(step) for step in range(steps)]
        for step in range(steps):
            last[taps[step]] = step
        for step in reversed(range(steps)):
            first[taps[step]] = step
    first.setflags(write=False)
    last.setflags(write=False)
    return first, last


@lru_cache(maxsize=1024)
def awaited(read: Shape, steps: int, write: Shape, made: int) -> tuple[int, ...]:
    """For each of the steps of a reader how many of the `made` steps of a writer it waits for."""
    return tuple(write.needed(read.end(step), made) for step in range(steps))


def reads(program: Program, layer: Layer) -> tuple[Reach, ...]:
    """What a layer reads from the arena."""
    return tuple(reach(program, access) for access in layer.reads if access.storage is not None)


def reach(program: Program, access: Access) -> Reach:
    return Reach(access, program.storage_of(access.tensor))
