"""Executes a schedule on painted bytes, the slow obvious way: who wrote every byte of the arena, and what is read.

Nothing is borrowed from the code under test but the row model's accesses: windows are taken apart tap by tap, and the
arena is a list of (storage, byte) tags. A kernel may write its output and scratch in any order, so both are painted
before its inputs are looked at.
"""

from __future__ import annotations

import numpy as np

from tests.schedule.programs import Scheduled
from tinygen.plan.model import Plan
from tinygen.schedule.buffers import Demand
from tinygen.schedule.program import Access, Program

NOTHING = -1


class StaleRowError(AssertionError):
    """Something that is read is not there any more, or not yet."""


class _Arena:
    def __init__(self, program: Program, demand: Demand, plan: Plan) -> None:
        self.program, self.demand, self.plan = program, demand, plan
        size = plan.arena_bytes
        self.outside: dict[int, int] = {}
        """Where storages that are not in the arena are: behind it, as if it were larger."""
        for storage in program.storages:
            if storage.id not in demand.storages:
                self.outside[storage.id] = size
                size += storage.nbytes
        self.owner = np.full(size, NOTHING, np.int64)
        """A storage's id, or NOTHING - 1 - layer for accumulators."""
        self.byte = np.zeros(size, np.int64)
        """Which byte of it."""
        self.landed: dict[int, int] = {}

    def offset(self, position: int) -> int:
        return self.plan.offsets[position]

    def addresses(self, access: Access, row: int) -> np.ndarray:
        """Where the bytes of a row of an access are."""
        storage = next(s for s in self.program.storages if s.id == access.storage)
        slots, base = self.demand.slots[storage.id], self.outside.get(storage.id, -1)
        if base < 0:
            base = self.offset(self.demand.storages[storage.id])
        if slots == storage.rows:
            return base + row * access.row_bytes + np.arange(access.row_bytes)
        assert (access.rows, access.row_bytes) == (storage.rows, storage.row_bytes), "a ring has one geometry"
        if self.landed.get(storage.id) == row:
            return self.offset(self.demand.landings[storage.id]) + np.arange(access.row_bytes)
        return base + row % slots * access.row_bytes + np.arange(access.row_bytes)

    def paint_row(self, access: Access, row: int) -> None:
        where = self.addresses(access, row)
        self.owner[where] = access.storage
        self.byte[where] = row * access.row_bytes + np.arange(access.row_bytes)

    def check_row(self, access: Access, row: int, when: str) -> None:
        where = self.addresses(access, row)
        fine = (self.owner[where] == access.storage) & (
            self.byte[where] == row * access.row_bytes + np.arange(access.row_bytes)
        )
        if not fine.all():
            at = where[np.argmin(fine)]
            name = self.program.graph.tensors[access.tensor].name
            raise StaleRowError(f"{when}: row {row} of '{name}' at {at} is overwritten by {self.owner[at]}")

    def clobber(self, offset: int, size: int) -> None:
        self.owner[offset : offset + size] = NOTHING


def replay(case: Scheduled) -> None:
    """Raises StaleRowError, or AssertionError where a step is computed twice or out of order or in the wrong place."""
    program, schedule, demand = case.program, case.schedule, case.demand
    arena = _Arena(program, demand, case.plan)
    graph = program.graph
    inputs = [_whole(program, i) for i in graph.inputs]
    for access in inputs:
        arena.paint_row(access, 0)
    for access in inputs:
        arena.check_row(access, 0, "when all inputs are loaded")
    done = [0] * len(program.layers)
    interleaved = {i for s in schedule.segments if s.interleaved for i in range(s.first, s.end)}
    steps = [(s.layer, i, s.pulled_last) for s in schedule.steps for i in range(s.first, s.end)]
    for position, step, pulled_last in steps:
        layer = program.layers[position]
        assert step == done[position], f"step {step} of layer {position} after {done[position]} steps"
        done[position] += 1
        storage = layer.write.storage
        assert storage is not None
        if storage in demand.landings:
            assert position in interleaved, "only rows that are pulled can land"
            _settle(arena, layer.write)
            if pulled_last:
                arena.landed[storage] = step
        _run(arena, position, step)
        for read in layer.reads:
            if read.storage is not None and demand.settlers.get(read.storage) == position:
                _settle(arena, read)
    for i in graph.outputs:
        arena.check_row(_whole(program, i), 0, "after the inference")
    if case.keep_inputs:
        for access in inputs:
            arena.check_row(access, 0, "kept input after the inference")


def _whole(program: Program, tensor: int) -> Access:
    found = program.graph.tensors[tensor]
    return Access(tensor, program.storage_of(tensor).id, 1, found.nbytes, None)


def _run(arena: _Arena, position: int, step: int) -> None:
    layer = arena.program.layers[position]
    when = f"{layer.op.kind} (layer {position}), step {step}"
    last = step == layer.rows.steps - 1
    own = NOTHING - 1 - position
    accumulator = slice(0, 0)
    if size := layer.call.accumulator_bytes:
        offset = arena.offset(arena.demand.accumulators[position])
        accumulator = slice(offset, offset + size)
        if step == 0:
            arena.owner[accumulator] = own
    if layer.rows.writes_row:
        arena.paint_row(layer.write, step)
    else:
        # Kernels may use the output for what they like until they are done.
        for row in range(layer.write.rows):
            arena.paint_row(layer.write, row)
    if size := layer.call.scratch_bytes:
        arena.clobber(arena.offset(arena.demand.scratch[position]), size)
    for read in layer.reads:
        if read.storage is None:
            continue
        rows = range(read.rows)
        if read.window is not None:
            window = read.window
            taps = [step * window.stride - window.pad + k * window.dilation for k in range(window.size)]
            rows = [row for row in taps if row in rows]
        for row in rows:
            arena.check_row(read, row, when)
    assert (arena.owner[accumulator] == own).all(), f"{when}: accumulators are overwritten"
    if layer.rows.writes_row:
        arena.check_row(layer.write, step, when)
    else:
        for row in range(layer.write.rows):
            arena.check_row(layer.write, row, when)
        if not last:
            # It must still be there, but it is not a value yet.
            for row in range(layer.write.rows):
                arena.owner[arena.addresses(layer.write, row)] = NOTHING


def _settle(arena: _Arena, access: Access) -> None:
    """A landed row is copied into its place in the ring, with memcpy."""
    assert access.storage is not None
    row = arena.landed.get(access.storage)
    if row is None:
        return
    source = arena.addresses(access, row)
    arena.check_row(access, row, "before it is copied out of the landing slot")
    del arena.landed[access.storage]
    assert not np.intersect1d(source, arena.addresses(access, row)).size, "memcpy between overlapping rows"
    arena.paint_row(access, row)
