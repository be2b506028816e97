"""Replays a schedule on painted bytes, the slow obvious way: who wrote every byte of the arena, and what is read.

Nothing is borrowed from what found the schedule but what operators and kernels declare: windows are taken apart tap by
tap, and every byte of every tensor has a number of its own, which the arena's bytes are painted with. Operators without
a layer compute nothing, so their outputs have the numbers of their inputs, moved as the operator's reference moves
elements. A kernel may write its output and scratch in any order, so both are painted before its inputs are looked at,
except for an input that the kernel declares may be overwritten, in a row that is exactly the output's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinygen.errors import TinygenError, error
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.plan.model import Plan
from tinygen.schedule.buffers import Demand
from tinygen.schedule.program import Access, Program
from tinygen.schedule.steps import Schedule
from tinygen.schedule.storages import Storage

_NOTHING = -1

Bytes = NDArray[np.int64]
"""Addresses in the arena, or what is written there."""


def replay(program: Program, schedule: Schedule, demand: Demand, plan: Plan, *, keep_inputs: bool = False) -> None:
    """Raises TG304 unless every layer finds what it reads, steps are computed once and in order, and outputs stay.

    Time is linear in the bytes that steps touch.
    """
    arena = _Arena(program, demand, plan)
    inputs = [arena.whole(i) for i in program.graph.inputs]
    outputs = [arena.whole(i) for i in program.graph.outputs]
    for access in inputs:
        arena.paint_row(access, 0)
    for access in inputs:
        arena.check_row(access, 0, "when all inputs are loaded")
    done = [0] * len(program.layers)
    interleaved = {i for s in schedule.segments if s.interleaved for i in range(s.first, s.end)}
    steps = [(s.layer, i) for s in schedule.steps for i in range(s.first, s.end)]
    awaited = {(s.layer, s.first) for s in schedule.steps if s.pulled_last}
    for position, step in steps:
        layer = program.layers[position]
        if step != done[position]:
            raise _invalid(f"step {step} of layer {position} is computed after {done[position]} of its steps")
        done[position] += 1
        storage = layer.write.storage
        if storage is not None and storage in demand.landings and arena.writers[storage][0] == position:
            if position not in interleaved:
                raise _invalid(f"layer {position} is not pulled, so its rows cannot land")
            arena.settle(layer.write)
            # Whoever waits for the row waits for the last of those who write it.
            if (arena.writers[storage][-1], step) in awaited:
                arena.landed[storage] = step
        _run(arena, position, step)
        for read in layer.reads:
            if read.storage is not None and demand.settlers.get(read.storage) == position:
                arena.settle(read)
    for access in outputs:
        arena.check_row(access, 0, "after the inference")
    for access in inputs if keep_inputs else ():
        arena.check_row(access, 0, "kept input after the inference")


class _Arena:
    """What every byte holds: the number of a tensor's byte, _NOTHING, or _NOTHING - 1 - layer for accumulators."""

    def __init__(self, program: Program, demand: Demand, plan: Plan) -> None:
        self.program, self.demand, self.plan = program, demand, plan
        self.numbers = _numbers(program)
        size = plan.arena_bytes
        self._outside: dict[int, int] = {}
        """Where storages that are not in the arena are: behind it, as if it were larger."""
        for storage in program.storages:
            if storage.id not in demand.storages:
                self._outside[storage.id] = size
                size += storage.nbytes
        self.held = np.full(size, _NOTHING, np.int64)
        self.landed: dict[int, int] = {}
        self.writers: dict[int, list[int]] = {}
        """Of each storage, in order."""
        for i, layer in enumerate(program.layers):
            if layer.write.storage is not None:
                self.writers.setdefault(layer.write.storage, []).append(i)

    def offset(self, position: int) -> int:
        return self.plan.offsets[position]

    def whole(self, tensor: int) -> Access:
        """A tensor as a single row."""
        size = self.program.graph.tensors[tensor].nbytes
        return Access(tensor, self.program.storage_of(tensor).id, 1, size, None, 0, size, size, size)

    def addresses(self, access: Access, row: int) -> Bytes:
        """Where the bytes of a row of an access are."""
        storage = self.program.storage_of(access.tensor)
        pixels = np.arange(access.row_bytes // access.pixel_bytes) * access.pixel_pitch
        row_bytes = (pixels[:, np.newaxis] + np.arange(access.pixel_bytes)).reshape(-1)
        start = access.first + row * access.pitch
        if self.demand.slots[storage.id] == storage.rows:
            return self._base(storage) + start + row_bytes
        row, before = divmod(start, storage.row_bytes)
        if before + row_bytes[-1] >= storage.row_bytes:
            raise _invalid(f"'{storage.name}' is a ring, and a row of '{access.tensor}' is in two of its rows")
        return self._slot(storage, row) + before + row_bytes

    def _base(self, storage: Storage) -> int:
        """Where a storage begins."""
        outside = self._outside.get(storage.id)
        return self.offset(self.demand.storages[storage.id]) if outside is None else outside

    def _slot(self, storage: Storage, row: int) -> int:
        """Where a row of a ring begins."""
        if self.landed.get(storage.id) == row:
            return self.offset(self.demand.landings[storage.id])
        return self._base(storage) + row % self.demand.slots[storage.id] * storage.row_bytes

    def paint_row(self, access: Access, row: int) -> None:
        self.held[self.addresses(access, row)] = self._wanted(access, row)

    def check_row(self, access: Access, row: int, when: str) -> None:
        where = self.addresses(access, row)
        fine = self.held[where] == self._wanted(access, row)
        if not fine.all():
            name = self.program.graph.tensors[access.tensor].name
            raise _invalid(f"{when}: row {row} of '{name}' is not at byte {where[np.argmin(fine)]} of the arena")

    def clobber(self, position: int, size: int, owner: int = _NOTHING) -> None:
        offset = self.offset(position)
        self.held[offset : offset + size] = owner

    def settle(self, access: Access) -> None:
        """A landed row is copied into its place in the ring, with memcpy."""
        storage = self.program.storage_of(access.tensor)
        row = self.landed.get(storage.id)
        if row is None:
            return
        source = self._slot(storage, row) + np.arange(storage.row_bytes)
        held = self.held[source]
        del self.landed[storage.id]
        target = self._slot(storage, row) + np.arange(storage.row_bytes)
        if np.intersect1d(source, target).size:
            raise _invalid(f"row {row} of storage {storage.id} is copied between places that overlap")
        self.held[target] = held

    def _wanted(self, access: Access, row: int) -> Bytes:
        return self.numbers[access.tensor][row * access.row_bytes : (row + 1) * access.row_bytes]


def _run(arena: _Arena, position: int, step: int) -> None:
    """One step of a layer."""
    layer = arena.program.layers[position]
    when = f"{layer.op.kind} (layer {position}), step {step}"
    own = _NOTHING - 1 - position
    if layer.call.accumulator_bytes and step == 0:
        arena.clobber(arena.demand.accumulators[position], layer.call.accumulator_bytes, own)
    reads = [(i, access, row) for i, access in _inputs(arena, position) for row in _taps(access, step)]
    # Kernels may use what they write only when they are done for what they like until then.
    written = [step] if layer.rows.writes_row else range(layer.write.rows)
    overwritten = []
    for i, access, row in reads:
        if i in layer.kernel.in_place:
            arena.check_row(access, row, when)
            if np.array_equal(arena.addresses(access, row), arena.addresses(layer.write, step)):
                overwritten.append((i, row))
    for row in written:
        arena.paint_row(layer.write, row)
    if size := layer.call.scratch_bytes:
        arena.clobber(arena.demand.scratch[position], size)
    for i, access, row in reads:
        if (i, row) not in overwritten:
            arena.check_row(access, row, when)
    for row in written:
        arena.check_row(layer.write, row, when)
    if size := layer.call.accumulator_bytes:
        start = arena.offset(arena.demand.accumulators[position])
        if (arena.held[start : start + size] != own).any():
            raise _invalid(f"{when}: accumulators are overwritten")
    if not layer.rows.writes_row and step < layer.rows.steps - 1:
        # It must still be there, but it is not a value yet.
        for row in written:
            arena.held[arena.addresses(layer.write, row)] = _NOTHING


def _inputs(arena: _Arena, position: int) -> list[tuple[int, Access]]:
    """What a layer reads from the arena, by position in op.inputs."""
    layer = arena.program.layers[position]
    found = ((i, access) for (i, _), access in zip(layer.rows.inputs, layer.reads, strict=True))
    return [(i, access) for i, access in found if access.storage is not None]


def _taps(access: Access, step: int) -> list[int]:
    """The rows inside the tensor that a step reads."""
    if access.window is None:
        return list(range(access.rows))
    first = step * access.window.stride // access.window.repeat - access.window.pad
    taps = (first + k * access.window.dilation for k in range(access.window.size))
    return [row for row in taps if 0 <= row < access.rows]


def _numbers(program: Program) -> dict[int, Bytes]:
    """For each activation a number for each of its bytes, that of another tensor's byte where it is the same byte."""
    graph = program.graph
    computed = {t for layer in program.layers for t in layer.op.outputs}
    numbers: dict[int, Bytes] = {}
    used = 0
    for i in [*graph.inputs, *(t for op in graph.ops for t in op.outputs)]:
        size = graph.tensors[i].nbytes
        if i in computed or i in graph.inputs:
            numbers[i] = np.arange(used, used + size)
            used += size
    for op in graph.ops:
        if computed.isdisjoint(op.outputs) and all(i in numbers for i in op.inputs if graph.tensors[i].data is None):
            numbers[op.outputs[0]] = _moved(graph, op, numbers)
    return numbers


def _moved(graph: Graph, op: Op, numbers: dict[int, Bytes]) -> Bytes:
    """The numbers of the bytes of an output that is made of its inputs' bytes, byte k of the elements at a time."""
    size = op.output(graph).dtype.itemsize
    found = []
    for k in range(size):
        tensors = [graph.tensors[i] for i in op.inputs]
        inputs = [numbers[t.id].reshape(*t.shape, size)[..., k] if t.id in numbers else t.data for t in tensors]
        found.append(op.reference(graph, inputs, Numerics.LITERT)[0].reshape(-1))
    return np.stack(found, -1).reshape(-1).astype(np.int64)


def _invalid(message: str) -> TinygenError:
    return error("TG304", message)
