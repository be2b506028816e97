"""ADD of two activations of one shape by arm_elementwise_add_s8."""

from __future__ import annotations

from tinygen.backends.cmsis_nn.library import ADD
from tinygen.backends.cmsis_nn.scratch import Unit
from tinygen.ir.call import Call, Field, Kernel
from tinygen.ir.graph import Graph
from tinygen.ir.tensor import geometry
from tinygen.ops.activation import activation_range
from tinygen.ops.add import Add
from tinygen.ops.broadcast import broadcast

SOURCES = ADD


def kernels(op: Add, graph: Graph, core: Unit) -> tuple[Kernel, ...]:
    """A call for each row; none for operands that have to be repeated."""
    output = op.output(graph)
    if output.quant is None or any(op.input(graph, i).shape != output.shape for i in (0, 1)):
        return ()
    steps, count = geometry(output.shape)
    factors, quants = op.rescalings(graph), op.quantizations(graph)
    low, high = activation_range(op.activation, output.quant, output.dtype)
    fields = [Field("count", count, "elements of a row")]
    # The kernel's operands are in the order of its row pointers.
    for letter, operand in zip("ab", broadcast(op, graph).operands, strict=True):
        multiplier, shift = factors[operand.position]
        fields += [
            Field(f"{letter}_offset", -quants[operand.position].zero_point),
            Field(f"{letter}_multiplier", multiplier),
            Field(f"{letter}_shift", shift),
        ]
    fields += [
        Field("left_shift", op.FRACTION, "fractional bits of the common scale"),
        Field("offset", quants[2].zero_point),
        Field("multiplier", factors[2][0]),
        Field("shift", factors[2][1]),
        Field("activation_min", low),
        Field("activation_max", high),
    ]
    call = Call("tg_arm_elementwise_add_s8", "arm_elementwise_add_s8.h", tuple(fields))
    # It writes each element after it has read it.
    return (Kernel("arm_elementwise_add_s8", steps * (60 + 25 * count), 0, 0, lambda: call, in_place=(0, 1)),)
