"""The plan that tflite-micro makes by itself, to compare ours with: its greedy planner on the same tensors.

Source: greedy_memory_planner.cc and micro_allocation_info.cc of tflite-micro.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinygen.backends.tflm.planning import ALIGNMENT
from tinygen.ir.graph import Graph


@dataclass
class _Tensor:
    size: int
    first: int
    last: int
    """Both included."""


def greedy_bytes(graph: Graph) -> int:
    """Bytes of arena for the activations alone: the largest tensor first, each in the first gap that is wide enough."""
    placed: list[tuple[int, _Tensor]] = []
    for tensor in _tensors(graph):
        offset = 0
        for start, other in sorted(placed, key=lambda pair: pair[0]):
            if other.first > tensor.last or tensor.first > other.last:
                continue
            if start - offset >= tensor.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, tensor))
    return max((offset + tensor.size for offset, tensor in placed), default=0)


def _tensors(graph: Graph) -> list[_Tensor]:
    """The largest first, of equals the last in the file; inputs are there at time 0, before the first operator."""
    found: dict[int, _Tensor] = {}

    def used(i: int, time: int) -> None:
        size = graph.tensors[i].nbytes
        found.setdefault(i, _Tensor(size + -size % ALIGNMENT, time, time)).last = time

    for i in graph.inputs:
        used(i, 0)
    for time, op in enumerate(graph.ops, 1):
        for i in op.outputs:
            used(i, time)
        for i in op.inputs:
            if i in found:
                used(i, time)
    for i in graph.outputs:
        used(i, len(graph.ops))
    return [found[i] for i in sorted(found, key=lambda i: (-found[i].size, -i))]
