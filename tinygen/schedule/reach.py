"""Which rows of which storages the steps of a layer touch: the row model, in storage rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinygen.schedule.program import Access, Layer, Program
from tinygen.schedule.storages import Storage

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reach:
    """The storage rows of one access."""

    access: Access
    storage: Storage

    @property
    def row_by_row(self) -> bool:
        """Each row of the access is in a row of the storage, all of them at the same distance from its start."""
        access, size = self.access, self.storage.row_bytes
        return access.first % size + access.span <= size and (access.rows == 1 or access.pitch % size == 0)

    def end(self, step: int) -> int:
        """One past the last storage row that must be there before a step."""
        access = self.access
        end = access.rows if access.window is None else access.window.end(step, access.rows)
        return max(0, -(-(access.first + (end - 1) * access.pitch + access.span) // self.storage.row_bytes))

    def steps(self, rows: int) -> int:
        """How many rows of what is written are needed for the first `rows` of the storage."""
        wanted = -(-(rows * self.storage.row_bytes - self.access.first) // self.access.pitch)
        return max(0, min(wanted, self.access.rows))

    def taps(self, step: int) -> list[int]:
        """The storage rows that a step touches."""
        access, size = self.access, self.storage.row_bytes
        touched = range(access.rows) if access.window is None else access.window.rows(step, access.rows)
        starts = (access.first + row * access.pitch for row in touched)
        return [row for start in starts for row in range(start // size, -(-(start + access.span) // size))]

    def touched(self, steps: int) -> tuple[Ints, Ints]:
        """For each storage row the first and the last of so many steps that touch it, -1 where none does."""
        first, last = np.full(self.storage.rows, -1), np.full(self.storage.rows, -1)
        if self.access.window is None:
            rows = self.taps(0)
            first[rows], last[rows] = 0, steps - 1
            return first, last
        for step in range(steps):
            last[self.taps(step)] = step
        for step in reversed(range(steps)):
            first[self.taps(step)] = step
        return first, last


@dataclass(frozen=True, eq=False)
class Touches:
    """What the steps of a layer touch: by storage and row the last step, and of what is written the first as well."""

    reads: tuple[tuple[int, Ints], ...]
    write: tuple[int, Ints, Ints]


def reads(program: Program, layer: Layer) -> tuple[Reach, ...]:
    """What a layer reads from the arena."""
    return tuple(reach(program, access) for access in layer.reads if access.storage is not None)


def reach(program: Program, access: Access) -> Reach:
    return Reach(access, program.storage_of(access.tensor))
