"""Bounds-checked access to the tables of a flatbuffer that nobody has checked before.

    root ──▶ table ── soffset ──▶ vtable [bytes of vtable, bytes of table, offset of field 0, of field 1, ...]
              └─ field ── uoffset ──▶ table | string | vector [length, elements...]

Every access is checked when it is made, so nothing that is read can lie outside the file, and nothing that is not read
can do harm. Offsets may still point many times at the same bytes; a budget proportional to the size of the file bounds
the work and memory this can cost. Source: the FlatBuffers internals page of the format's documentation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from tinygen.errors import Origin, TinygenError, error
from tinygen.ir.tensor import Array

_TABLE_COST = 32
"""What a visit of a table costs in bytes of budget: about the bytes of a small table and its entry in a vector."""


class Flatbuffer:
    """The bytes of a file with the budget for reading them.

    Args:
        data: the whole file.
        origin: the file, for errors.
        max_entries: the largest accepted number of tables in one vector.
    """

    def __init__(self, data: bytes, origin: Origin, max_entries: int = 1 << 13) -> None:
        self.data = data
        self.origin = origin
        self.max_entries = max_entries
        self._budget = 4 * len(data) + (1 << 16)

    def root(self, what: str) -> Table:
        """The root table."""
        return self.table(self.scalar("I", 0, what), what)

    def damaged(self, what: str, found: str) -> TinygenError:
        """The error for bytes that contradict the format."""
        return error("TG102", f"{what}: {found}", origin=self.origin)

    def spend(self, cost: int, what: str) -> None:
        """Takes bytes of work from the budget.

        Raises:
            TinygenError: TG106 when the file refers to its own bytes far more often than any writer does.
        """
        self._budget -= cost
        if self._budget < 0:
            message = f"{what}: the file refers to the same bytes too many times"
            raise error("TG106", message, origin=self.origin)

    def scalar(self, code: str, at: int, what: str) -> int:
        """The little-endian integer of struct code `code` at a position."""
        if at < 0 or at + struct.calcsize(code) > len(self.data):
            raise self.damaged(what, f"lies at byte {at} of a file of {len(self.data)} bytes")
        value: int = struct.unpack_from(f"<{code}", self.data, at)[0]
        return value

    def table(self, position: int, what: str) -> Table:
        """The table at a position, its vtable checked."""
        self.spend(_TABLE_COST, what)
        vtable = position - self.scalar("i", position, what)
        entries = self.scalar("H", vtable, what)
        size = self.scalar("H", vtable + 2, what)
        if entries < 4 or entries % 2 or vtable + entries > len(self.data):
            raise self.damaged(what, f"the vtable of {entries} bytes at byte {vtable} is not valid")
        if size < 4 or position + size > len(self.data):
            raise self.damaged(what, f"the table of {size} bytes at byte {position} leaves the file")
        return Table(self, position, size, vtable, entries, what)

    def vector(self, position: int, width: int, what: str) -> Vector:
        """The vector of elements of `width` bytes at a position."""
        length = self.scalar("I", position, what)
        if position + 4 + length * width > len(self.data):
            raise self.damaged(what, f"{length} elements of {width} bytes at byte {position} leave the file")
        return Vector(self, position + 4, length, width)


@dataclass(frozen=True, eq=False)
class Vector:
    """A checked vector: `length` elements of `width` bytes from `position`."""

    file: Flatbuffer
    position: int
    length: int
    width: int

    def array(self, dtype: np.dtype[np.generic]) -> Array:
        """A read-only view of the bytes, a multiple of the item size, as little-endian elements."""
        count = self.length * self.width // dtype.itemsize
        return np.frombuffer(self.file.data, dtype.newbyteorder("<"), count, self.position)


@dataclass(frozen=True, eq=False)
class Table:
    """A checked table. Fields are named by their slot, the order of declaration in the schema."""

    file: Flatbuffer
    position: int
    size: int
    vtable: int
    vtable_size: int
    what: str

    def field(self, slot: int, width: int) -> int | None:
        """The position of a field of `width` bytes, or None where the table does not have it."""
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_size:
            return None
        offset = self.file.scalar("H", self.vtable + entry, self.what)
        if offset == 0:
            return None
        if offset < 4 or offset + width > self.size:
            raise self.file.damaged(self.what, f"field {slot} at offset {offset} leaves the table of {self.size} bytes")
        return self.position + offset

    def integer(self, slot: int, code: str, default: int = 0) -> int:
        """A scalar field of struct code `code`."""
        at = self.field(slot, struct.calcsize(code))
        return default if at is None else self.file.scalar(code, at, self.what)

    def target(self, slot: int) -> int | None:
        """The position a reference field points to; not checked yet."""
        at = self.field(slot, 4)
        return None if at is None else at + self.file.scalar("I", at, self.what)

    def table(self, slot: int, what: str) -> Table | None:
        """The table a field refers to."""
        target = self.target(slot)
        return None if target is None else self.file.table(target, what)

    def vector(self, slot: int, width: int, what: str) -> Vector | None:
        """The vector of elements of `width` bytes a field refers to."""
        target = self.target(slot)
        return None if target is None else self.file.vector(target, width, what)

    def integers(self, slot: int, code: str, what: str) -> tuple[int, ...] | None:
        """The elements of a vector of scalars of struct code `code`."""
        width = struct.calcsize(code)
        vector = self.vector(slot, width, what)
        if vector is None:
            return None
        self.file.spend(vector.length * width, what)
        return struct.unpack_from(f"<{vector.length}{code}", self.file.data, vector.position)

    def reals(self, slot: int, what: str) -> tuple[float, ...] | None:
        """The elements of a vector of float32."""
        vector = self.vector(slot, 4, what)
        if vector is None:
            return None
        self.file.spend(vector.length * 4, what)
        return struct.unpack_from(f"<{vector.length}f", self.file.data, vector.position)

    def string(self, slot: int, what: str) -> str:
        """A string with everything unprintable replaced by '?'; empty where absent. At most 256 characters."""
        vector = self.vector(slot, 1, what)
        if vector is None:
            return ""
        end = vector.position + min(vector.length, 256)
        self.file.spend(end - vector.position, what)
        text = self.file.data[vector.position : end].decode("utf-8", "replace")
        return "".join(c if c.isprintable() else "?" for c in text)

    def tables(self, slot: int, what: str) -> tuple[Table, ...]:
        """The tables of a vector, each checked; empty where absent. `what` names one of them."""
        vector = self.vector(slot, 4, f"the list of {what}s")
        if vector is None:
            return ()
        if vector.length > self.file.max_entries:
            message = f"{vector.length} {what}s; at most {self.file.max_entries} are accepted"
            raise error("TG106", message, origin=self.file.origin)
        positions = range(vector.position, vector.position + 4 * vector.length, 4)
        return tuple(
            self.file.table(at + self.file.scalar("I", at, what), f"{what} {i}") for i, at in enumerate(positions)
        )
