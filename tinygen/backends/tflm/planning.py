"""tinygen's memory plan for tflite-micro: whole tensors, or rows that move in behind the rows that were read.

tflite-micro takes it from the model file's metadata `OfflineMemoryAllocation`, int32 each: a version, the number of
subgraphs, the number of tensors, and for each tensor its offset in the arena, or -1 where tflite-micro is to find a
place: for constants it needs none, and state is kept apart. Source: docs/memory_management.md of tflite-micro.

By rows, an operator is as many steps as its output has rows, and the output may lie on what is no longer read:

    step y of a convolution   | output rows 0 to y | .. | input rows from the first that step y reads to the last |

That is right for kernels that write their output from the first row to the last, and read no more than the row model
says: tflite-micro's reference kernels, whose loops are over y, then x, then channels. It is not for others.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.opaque import Opaque
from tinygen.ir.rows import Rows
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.plan.solve import plan
from tinygen.schedule.places import row_geometry

METADATA = "OfflineMemoryAllocation"
ALIGNMENT = 16
"""MicroArenaBufferAlignment(): tflite-micro places every tensor at a multiple of it."""

_IN_PLACE = frozenset({"RESHAPE"})
"""Operators whose kernel does nothing when its output is where its input is."""

_ASCENDING = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "PAD", "CONCATENATION"}
    | {"QUANTIZE", "DEQUANTIZE", "RELU", "RELU6"}
)
"""Operators whose reference kernels go through their output from its first byte to its last."""

_ASCENDING_ALIKE = frozenset({"ADD", "SUB", "MUL"})
"""Those that do so where all activations have one shape; broadcasting has loops of its own."""


@dataclass(frozen=True)
class TensorPlan:
    """Where activations lie: each tensor's offset by its id, and for each step of the plan the operator's position."""

    plan: Plan
    offsets: dict[int, int]
    steps: tuple[int, ...]
    by_rows: bool
    """Whether it is right only for kernels that go through their output from the first row to the last."""


def plan_tensors(graph: Graph, *, keep_inputs: bool, by_rows: bool = False) -> TensorPlan:
    """Where the activations of a graph as it is in the file lie, whole or by rows.

    An output of the graph lives through the last operator, and so does an input with `keep_inputs`.
    """
    groups = _groups(graph)
    where = {tensor: group for group, members in groups.items() for tensor in members}
    rows = [_rows(graph, op) if by_rows else None for op in graph.ops]
    steps = tuple(i for i, found in enumerate(rows) for _ in range(1 if found is None else found.steps))
    last = max(len(steps), 1)
    accesses: dict[int, list[_Access]] = {group: [] for group in groups}
    for i in graph.inputs:
        times = (0, last - 1) if keep_inputs else (0,)
        accesses[where[i]] += [_Access(time, 0, graph.tensors[i].nbytes) for time in times]
    for tensor, access in _accesses(graph, rows):
        if tensor in where:
            accesses[where[tensor]].append(access)
    for i in graph.outputs:
        accesses[where[i]].append(_Access(last - 1, 0, graph.tensors[i].nbytes))
    buffers = tuple(_buffer(graph, group, groups[group], accesses[group]) for group in groups)
    found = plan(buffers)
    offsets = dict(zip(groups, found.offsets, strict=True))
    return TensorPlan(found, {tensor: offsets[group] for tensor, group in where.items()}, steps, by_rows)


def metadata(offsets: dict[int, int], count: int) -> bytes:
    """The contents of the metadata's buffer for a file with `count` tensors."""
    places = (offsets.get(i, -1) for i in range(count))
    return struct.pack(f"<{3 + count}i", 1, 1, count, *places)


def with_structures(head: Plan, size: int, steps: int) -> Plan:
    """The plan with `size` bytes behind it for what tflite-micro keeps in the arena besides tensors."""
    own = Buffer("tflite-micro's structures", size, (Rect(0, steps, 0, size),), ALIGNMENT, "state")
    return replace(
        head,
        buffers=(*head.buffers, own),
        offsets=(*head.offsets, head.arena_bytes),
        arena_bytes=head.arena_bytes + size,
        lower_bound=head.lower_bound + size,
    )


@dataclass(frozen=True)
class _Access:
    """A step that reads or writes bytes [start, stop) of a tensor."""

    time: int
    start: int
    stop: int


def _rows(graph: Graph, op: Op) -> Rows | None:
    """The row model of an operator whose reference kernel keeps to it; None for one that is a single step."""
    activations = [graph.tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0 and graph.tensors[i].data is None]
    alike = len({tensor.shape for tensor in activations}) == 1
    if isinstance(op, Opaque) or not (op.kind in _ASCENDING or (op.kind in _ASCENDING_ALIKE and alike)):
        return None
    rows = op.rows(graph)
    by_windows = rows.writes_row and all(window is not None for _, window in rows.inputs)
    return rows if by_windows and rows.steps > 1 else None


def _accesses(graph: Graph, rows: list[Rows | None]) -> Iterator[tuple[int, _Access]]:
    """What each step of each operator reads and writes, by tensor."""
    time = 0
    for op, found in zip(graph.ops, rows, strict=True):
        if found is None:
            for i in (*op.inputs, *op.outputs):
                if i >= 0:
                    yield i, _Access(time, 0, graph.tensors[i].nbytes)
            time += 1
            continue
        for step in range(found.steps):
            _, size = row_geometry(op.output(graph))
            yield op.outputs[0], _Access(time, step * size, (step + 1) * size)
            for position, window in found.inputs:
                count, size = row_geometry(op.input(graph, position))
                for y in window.rows(step, count) if window is not None else ():
                    yield op.inputs[position], _Access(time, y * size, (y + 1) * size)
            time += 1


def _groups(graph: Graph) -> dict[int, list[int]]:
    """Tensors that share their bytes, by the first of them."""
    groups: dict[int, list[int]] = {i: [i] for i in graph.inputs}
    for op in graph.ops:
        shared = None
        if op.kind in _IN_PLACE:
            shared = next((members for members in groups.values() if op.inputs[0] in members), None)
        for i in op.outputs:
            if shared is not None and graph.tensors[i].nbytes == graph.tensors[op.inputs[0]].nbytes:
                shared.append(i)
            else:
                groups[i] = [i]
    return groups


def _buffer(graph: Graph, group: int, members: list[int], accesses: list[_Access]) -> Buffer:
    tensor = graph.tensors[group]
    size = tensor.nbytes + -tensor.nbytes % ALIGNMENT
    kind = "activation"
    if any(i in graph.outputs for i in members):
        kind = "output"
    if group in graph.inputs:
        kind = "input"
    return Buffer(tensor.name, size, _rects(accesses, tensor.nbytes, size), ALIGNMENT, kind)


def _rects(accesses: list[_Access], nbytes: int, size: int) -> tuple[Rect, ...]:
    """The lives of the bytes, from the first access through the last; what fills up to `size` lives as what it ends."""
    bounds = sorted({0, nbytes, *(a.start for a in accesses), *(a.stop for a in accesses)})
    pieces = list(pairwise(bounds))
    born, dead = [max(access.time for access in accesses)] * len(pieces), [0] * len(pieces)
    for access in accesses:
        for i in range(bisect_left(bounds, access.start), bisect_left(bounds, access.stop)):
            born[i], dead[i] = min(born[i], access.time), max(dead[i], access.time + 1)
    lives = list(zip(born, dead, pieces, strict=True))
    found = []
    for (lower, upper), alike in groupby(lives, key=lambda life: life[:2]):
        spans = [span for _, _, span in alike]
        stop = spans[-1][1]
        found.append(Rect(lower, upper, spans[0][0], size if stop == nbytes else stop))
    return tuple(found)
