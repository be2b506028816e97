"""Removes operators that change nothing: reshapes to the same shape, quantizing to the same scale, useless clamps."""

from __future__ import annotations

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ops.elementwise import ElementwiseOp
from tinygen.passes.byte_map import INT8_VALUES, byte_map
from tinygen.passes.rewire import bypass


def remove_identities(graph: Graph) -> Graph:
    """The graph without operators whose output is their input, with the same shape, type and quantization."""
    return bypass(graph, {op.outputs[0]: op.inputs[0] for op in graph.ops if _is_identity(op, graph)})


def _is_identity(op: Op, graph: Graph) -> bool:
    if not op.alias and not isinstance(op, ElementwiseOp):
        return False
    source, result = op.input(graph, 0), op.output(graph)
    if (source.shape, source.dtype, source.quant) != (result.shape, result.dtype, result.quant):
        return False
    if op.alias:
        return True
    table = byte_map(graph, op) if isinstance(op, ElementwiseOp) else None
    return table is not None and np.array_equal(table, INT8_VALUES)
