"""Folds a PAD into the window operator that follows, whose own padding grows by it."""

from __future__ import annotations

from dataclasses import replace

from tinygen.ir.graph import Graph
from tinygen.ir.op import Op
from tinygen.ops.conv_2d import Conv2D
from tinygen.ops.depthwise_conv_2d import DepthwiseConv2D
from tinygen.ops.max_pool_2d import MaxPool2D
from tinygen.ops.pad import Pad
from tinygen.ops.window import WindowOp
from tinygen.passes.rewire import producers, uses


def fold_pads(graph: Graph) -> Graph:
    """The graph in which such pads are gone.

    A convolution reads its own padding as the input's zero point, so a PAD with that value is the same. Max pooling
    ignores its padding, which is the same where the value padded with can raise no maximum. Average pooling divides by
    the number of elements inside the input, which a PAD changes, so that is left.
    """
    counts, made_by = uses(graph), producers(graph)
    ops: list[Op] = []
    folded: set[int] = set()
    for op in graph.ops:
        pad = made_by.get(op.inputs[0]) if isinstance(op, WindowOp) else None
        if isinstance(op, WindowOp) and isinstance(pad, Pad) and counts[op.inputs[0]] == 1:
            candidate = _with_padding(graph, pad, op)
            if candidate is not None:
                folded |= set(pad.outputs)
                op = candidate
        ops.append(op)
    return graph.with_ops(tuple(op for op in ops if not folded.intersection(op.outputs)))


def _with_padding(graph: Graph, pad: Pad, op: WindowOp) -> WindowOp | None:
    """The window operator on the input of the pad, or None where it would not compute the same."""
    source, padded = pad.input(graph, 0), pad.output(graph)
    if source.quant is None or source.quant != padded.quant or len(source.shape) != 4:
        return None
    batch, (top, bottom), (left, right), channels = pad.paddings(graph)
    if batch != (0, 0) or channels != (0, 0):
        return None
    padding = (op.padding[0] + top, op.padding[1] + bottom, op.padding[2] + left, op.padding[3] + right)
    if isinstance(op, Conv2D | DepthwiseConv2D):
        exact = pad.value(graph) == source.quant.zero_point
    elif isinstance(op, MaxPool2D):
        # Every window has to keep an element of the input: the operator takes no window of padding alone.
        inside = max(padding[:2]) < op.size[0] and max(padding[2:]) < op.size[1]
        exact = inside and pad.value(graph) <= op.limits(graph)[0]
    else:
        exact = False
    return replace(op, inputs=(source.id, *op.inputs[1:]), padding=padding) if exact else None
