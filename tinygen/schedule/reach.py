"""Which rows of which storages the steps of a layer touch: the row model, in storage rows."""

from __future__ import annotations

from dataclasses import dataclass

from tinygen.schedule.program import Access, Layer, Program
from tinygen.schedule.storages import Storage


@dataclass(frozen=True)
class Reach:
    """The storage rows of one access; `unit` is the number of storage rows in a row of the access."""

    access: Access
    storage: Storage
    unit: int

    def end(self, step: int) -> int:
        """One past the last storage row that must be there before a step."""
        if self.access.window is None:
            return self.storage.rows
        return self.access.window.end(step, self.access.rows) * self.unit

    def taps(self, step: int) -> list[int]:
        """The storage rows that a step touches."""
        if self.access.window is None:
            return list(range(self.storage.rows))
        touched = self.access.window.rows(step, self.access.rows)
        return [row * self.unit + i for row in touched for i in range(self.unit)]


def reads(program: Program, layer: Layer) -> tuple[Reach, ...]:
    """What a layer reads from the arena."""
    return tuple(reach(program, access) for access in layer.reads if access.storage is not None)


def reach(program: Program, access: Access) -> Reach:
    storage = program.storage_of(access.tensor)
    return Reach(access, storage, access.row_bytes // storage.row_bytes)
