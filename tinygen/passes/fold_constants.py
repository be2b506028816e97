"""Computes at compile time what depends on constants only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics, Op
from tinygen.ir.tensor import Array, Tensor

_GROWTH = 4
_SMALL_BYTES = 1 << 16
_MAX_MACS = 1 << 24


def fold_constants(graph: Graph) -> Graph:
    """Operators with constant inputs only become constants, through their references.

    What the numerics disagree on is left, and so are outputs of the graph. The constants made may take four times the
    bytes of those of the model and 64 KiB, and an operator 16 million multiply-adds: beyond that folding costs more
    flash, or time in the compiler, than it can save.
    """
    tensors = dict(graph.tensors)
    budget = _GROWTH * sum(t.nbytes for t in tensors.values() if t.data is not None) + _SMALL_BYTES
    kept: list[Op] = []
    made: list[Tensor] = []
    for op in graph.ops:
        size = sum(tensors[i].nbytes for i in op.outputs)
        values = None
        if size <= budget and op.macs(graph) <= _MAX_MACS and not set(op.outputs) & set(graph.outputs):
            values = _evaluate(op, replace(graph, tensors=tensors) if made else graph, tensors)
        if values is None:
            kept.append(op)
            continue
        budget -= size
        for i, value in zip(op.outputs, values, strict=True):
            tensors[i] = replace(tensors[i], data=value)
            made.append(tensors[i])
    return graph.with_ops(tuple(kept), *made) if made else graph


def _evaluate(op: Op, graph: Graph, tensors: dict[int, Tensor]) -> tuple[Array, ...] | None:
    """The outputs, read-only, or None where an input is not constant or the numerics differ."""
    inputs = [tensors[i].data if i >= 0 else None for i in op.inputs]
    if not inputs or any(value is None and i >= 0 for i, value in zip(op.inputs, inputs, strict=True)):
        return None
    first, *others = (op.reference(graph, inputs, numerics) for numerics in Numerics)
    for other in others:
        if any(a.tobytes() != b.tobytes() for a, b in zip(first, other, strict=True)):
            return None
    results = tuple(np.asarray(value, order="C") for value in first)
    for value in results:
        value.flags.writeable = False
    return results
