"""MUL of two activations of one shape by arm_elementwise_mul_s8."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.library import MUL
from tinygen.backends.cmsis_nn.scratch import Unit
from tinygen.fixedpoint import quantize_multiplier
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.op import Numerics
from tinygen.ir.tensor import geometry
from tinygen.ops.activation import activation_range
from tinygen.ops.broadcast import broadcast
from tinygen.ops.mul import Mul

SOURCES = MUL


def kernels(op: Mul, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for each row; none for operands that have to be repeated."""
    output = op.output(graph)
    if output.quant is None or any(op.input(graph, i).shape != output.shape for i in (0, 1)):
        return ()
    steps, count = geometry(output.shape)
    quants = op.quantizations(graph)
    multiplier, shift = quantize_multiplier(op.factor(graph, Numerics.TFLM))
    low, high = activation_range(op.activation, output.quant, output.dtype)
    a, b = (quants[operand.position] for operand in broadcast(op, graph).operands)
    fields = (
        Field("count", count, "elements of a row"),
        Field("a_offset", -a.zero_point),
        Field("b_offset", -b.zero_point),
        Field("offset", quants[2].zero_point),
        Field("multiplier", multiplier),
        Field("shift", shift),
        Field("activation_min", low),
        Field("activation_max", high),
    )
    call = Call("tg_arm_elementwise_mul_s8", "arm_elementwise_mul_s8.h", fields)
    # It writes each element after it has read it.
    return (Kernel("arm_elementwise_mul_s8", steps * (50 + 15 * count), 0, 0, lambda: call, in_place=(0, 1)),)
