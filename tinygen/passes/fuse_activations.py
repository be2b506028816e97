"""Fuses a RELU, RELU6 or RELU_N1_TO_1 into the operator before it, where that is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ir.tensor import Array, DType, Quantization
from tinygen.ops.activation import CLAMPS, Activation, activation_range
from tinygen.ops.add import Add
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.fully_connected import FullyConnected
from tinygen.ops.mul import Mul
from tinygen.ops.pool import Pool
from tinygen.ops.relu import Relu
from tinygen.ops.sub import Sub
from tinygen.passes.byte_map import INT8_VALUES, byte_map
from tinygen.passes.rewire import uses

_CLAMPING = (Add, Conv2D, DepthwiseConv2D, FullyConnected, Mul, Pool, Sub)
"""Operators that clamp their result to `activation_range` of their output as the last thing they do."""


def fuse_activations(graph: Graph) -> Graph:
    """The graph in which such activations are gone.

    With equal quantization before and after it, the activation is a map from bytes to bytes. It is fused when, for
    every byte, the clamp before and the map after it equal a single clamp of the schema. With another quantization the
    value is rounded twice, and no single rounding equals that.
    """
    counts = uses(graph)
    ops: list[Op] = []
    position: dict[int, int] = {}
    for op in graph.ops:
        at = position.get(op.inputs[0]) if isinstance(op, Relu) and counts[op.inputs[0]] == 1 else None
        fused = _fused(graph, ops[at], op) if at is not None and isinstance(op, Relu) else None
        if at is not None and fused is not None:
            ops[at] = fused
        else:
            at = len(ops)
            ops.append(op)
        position |= dict.fromkeys(op.outputs, at)
    return graph.with_ops(tuple(ops))


def _fused(graph: Graph, before: Op, after: Relu) -> Op | None:
    """One operator that computes what two compute, or None where there is none."""
    quant = after.output(graph).quant
    if not isinstance(before, _CLAMPING) or quant is None or after.input(graph, 0).quant != quant:
        return None
    table = byte_map(graph, after)
    if table is None:
        return None
    both = table[_clamped(before.activation, quant).astype(np.int16) + 128]
    for activation in Activation:
        if activation in CLAMPS and np.array_equal(_clamped(activation, quant), both):
            return replace(before, outputs=after.outputs, activation=activation)
    return None


def _clamped(activation: Activation, quant: Quantization) -> Array:
    """INT8_VALUES after the clamp of a fused activation; an empty range counts as the smallest value alone."""
    low, high = activation_range(activation, quant, DType.INT8)
    return np.clip(INT8_VALUES, low, max(low, high))
