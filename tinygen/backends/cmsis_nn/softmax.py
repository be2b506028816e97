"""SOFTMAX by arm_softmax_s8."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.library import SOFTMAX
from tinygen.backends.cmsis_nn.scratch import Unit
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import DType, geometry
from tinygen.ops.softmax import Softmax, scaled_differences

SOURCES = SOFTMAX


def kernels(op: Softmax, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for each row; none to int16, or for scales so small that the library would shift by a negative number."""
    source = op.input(graph, 0)
    if op.output(graph).dtype is not DType.INT8:
        return ()
    if source.quant is None:
        raise ValueError("kernels need a verified operator")
    multiplier, shift, radius = scaled_differences(source.quant.scale, op.beta)
    if shift < 0:
        return ()
    steps, count = geometry(source.shape)
    depth = source.shape[-1]
    fields = (
        Field("vectors", count // depth, "in a row"),
        Field("depth", depth, "elements of a vector"),
        Field("multiplier", multiplier, "of the scale times beta, with 26 fractional bits"),
        Field("shift", shift),
        Field("least_difference", -radius, "to the maximum; what is further below counts as 0"),
    )
    instructions = steps * (count // depth) * (150 + 60 * depth)
    call = Call("tg_arm_softmax_s8", "arm_softmax_s8.h", fields)
    return (Kernel("arm_softmax_s8", instructions, 0, 0, lambda: call),)
