"""Computes at compile time what depends on constants only."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import Array, Tensor
from tinygen.ops.window import WindowOp

_GROWTH = 4
_SMALL = 1 << 16


def fold_constants(graph: Graph) -> Graph:
    """Operators with constant inputs only become constants, through their references.

    What the numerics disagree on is left, and so are outputs of the graph. Folding may cost, in bytes made and elements
    worked on, four times the bytes of the model's constants and 64 KiB. What converters leave to be folded is far below
    that; more would cost flash, or time and memory in the compiler.
    """
    tensors = dict(graph.tensors)
    outputs = set(graph.outputs)
    budget = _GROWTH * sum(t.nbytes for t in tensors.values() if t.data is not None) + _SMALL
    kept: list[Op] = []
    made: list[Tensor] = []
    for op in graph.ops:
        values = None
        constant = any(i >= 0 for i in op.inputs) and all(i < 0 or tensors[i].data is not None for i in op.inputs)
        if constant and outputs.isdisjoint(op.outputs) and (cost := _cost(op, graph)) <= budget:
            values = _evaluate(op, replace(graph, tensors=_around(op, tensors), ops=()))
            budget -= cost
        if values is None:
            kept.append(op)
            continue
        for i, value in zip(op.outputs, values, strict=True):
            tensors[i] = replace(tensors[i], data=value)
            made.append(tensors[i])
    return graph.with_ops(tuple(kept), *made)


def _around(op: Op, tensors: dict[int, Tensor]) -> dict[int, Tensor]:
    return {i: tensors[i] for i in (*op.inputs, *op.outputs) if i >= 0}


def _cost(op: Op, graph: Graph) -> int:
    """Bytes made and elements worked on, roughly."""
    results = [graph.tensors[i] for i in op.outputs]
    read = sum(graph.tensors[i].elements for i in op.inputs if i >= 0)
    taps = prod(op.window_size(graph)) * results[0].elements if isinstance(op, WindowOp) else 0
    return sum(t.nbytes for t in results) + read + taps + op.macs(graph)


def _evaluate(op: Op, graph: Graph) -> tuple[Array, ...] | None:
    """The outputs, read-only, or None where the numerics differ."""
    inputs = [graph.tensors[i].data if i >= 0 else None for i in op.inputs]
    first, *others = (op.reference(graph, inputs, numerics) for numerics in Numerics)
    for other in others:
        if any(a.tobytes() != b.tobytes() for a, b in zip(first, other, strict=True)):
            return None
    results = tuple(np.asarray(value, order="C") for value in first)
    for value in results:
        value.flags.writeable = False
    return results
