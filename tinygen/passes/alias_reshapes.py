"""Makes every operator that moves no bytes a RESHAPE of the tensor that holds the bytes."""

from __future__ import annotations

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ops.reshape import Reshape
from tinygen.ops.transpose import Transpose


def alias_reshapes(graph: Graph) -> Graph:
    """RESHAPE, SQUEEZE, EXPAND_DIMS and transposes of dimensions of size 1 become RESHAPE without a shape argument.

        a ──▶ SQUEEZE ──▶ b ──▶ RESHAPE ──▶ c          a ──▶ RESHAPE ──▶ b, a ──▶ RESHAPE ──▶ c

    Each reads the first tensor of its chain, so that backends find the bytes in one step; what is not read any more is
    dead. The kind that a model viewer shows stays in the origin.
    """
    held_by: dict[int, int] = {}
    ops: list[Op] = []
    for op in graph.ops:
        if op.alias or _moves_nothing(op, graph):
            source = held_by.get(op.inputs[0], op.inputs[0])
            held_by[op.outputs[0]] = source
            ops.append(Reshape(inputs=(source,), outputs=op.outputs, origin=op.origin))
        else:
            ops.append(op)
    return graph.with_ops(tuple(ops))


def _moves_nothing(op: Op, graph: Graph) -> bool:
    """A transpose that keeps the order of the dimensions larger than one."""
    if not isinstance(op, Transpose) or (order := op.input(graph, 1).data) is None:
        return False
    shape = op.input(graph, 0).shape
    moved = [axis for axis in np.asarray(order).reshape(-1).tolist() if shape[axis] > 1]
    return moved == sorted(moved)
