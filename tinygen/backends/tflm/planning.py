"""tinygen's memory plan for tflite-micro: whole tensors, one operator after the other, 16 bytes aligned.

tflite-micro takes it from the model file's metadata `OfflineMemoryAllocation`, int32 each: a version, the number of
subgraphs, the number of tensors, and for each tensor its offset in the arena, or -1 where tflite-micro is to find a
place: for constants it needs none, and state is kept apart. Source: docs/memory_management.md of tflite-micro.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from tinygen.ir.graph import Graph
from tinygen.plan.model import Buffer, Plan, Rect
from tinygen.plan.solve import plan

METADATA = "OfflineMemoryAllocation"
ALIGNMENT = 16
"""MicroArenaBufferAlignment(): tflite-micro places every tensor at a multiple of it."""

_IN_PLACE = frozenset({"RESHAPE"})
"""Operators whose kernel does nothing when its output is where its input is."""


def plan_tensors(graph: Graph, *, keep_inputs: bool) -> tuple[Plan, dict[int, int]]:
    """Where the activations of a graph as it is in the file lie, and each tensor's offset by its id.

    An output of the graph lives through the last operator, and so does an input with `keep_inputs`.
    """
    groups = _groups(graph)
    ends = dict.fromkeys(groups, 0)
    starts: dict[int, int] = {}
    where = {tensor: group for group, members in groups.items() for tensor in members}
    last = len(graph.ops)
    for i in graph.inputs:
        starts[where[i]] = 0
        ends[where[i]] = last if keep_inputs else 1
    for time, op in enumerate(graph.ops):
        for i in op.outputs:
            starts.setdefault(where[i], time)
            ends[where[i]] = max(ends[where[i]], time + 1)
        for i in op.inputs:
            if i in where:
                ends[where[i]] = max(ends[where[i]], time + 1)
    for i in graph.outputs:
        ends[where[i]] = last
    buffers = tuple(_buffer(graph, group, groups[group], starts[group], max(ends[group], 1)) for group in groups)
    found = plan(buffers)
    offsets = dict(zip(groups, found.offsets, strict=True))
    return found, {tensor: offsets[group] for tensor, group in where.items()}


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


def _buffer(graph: Graph, group: int, members: list[int], start: int, end: int) -> Buffer:
    tensor = graph.tensors[group]
    size = tensor.nbytes + -tensor.nbytes % ALIGNMENT
    kind = "activation"
    if any(i in graph.outputs for i in members):
        kind = "output"
    if group in graph.inputs:
        kind = "input"
    return Buffer(tensor.name, size, (Rect(start, end, 0, size),), ALIGNMENT, kind)
